// Runs before the first paint, so that a chosen theme never flashes. A classic script on purpose.
{
  const chosen = localStorage.getItem("bowerbird-theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
}
