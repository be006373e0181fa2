// Figures as words. What is not known has no number.

export const OPEN = "no data yet";

const known = (value) => value !== undefined && value !== null && Number.isFinite(value);
const count_ = new Intl.NumberFormat("en");

export const count = (value) => (known(value) ? count_.format(value) : OPEN);
export const figure = (value, digits = 3) => (known(value) ? value.toFixed(digits).replace("-", "−") : OPEN);
export const signed = (value, digits = 3) => (known(value) ? `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}` : OPEN);
export const percent = (value, digits = 0) => (known(value) ? `${(100 * value).toFixed(digits)} %` : OPEN);
export const ms = (value) => (known(value) ? `${value < 10 ? value.toFixed(1) : Math.round(value)} ms` : OPEN);
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export function bytes(value) {
  if (!known(value)) return OPEN;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const step = value ? Math.min(units.length - 1, Math.floor(Math.log2(value) / 10)) : 0;
  return `${(value / 1024 ** step).toFixed(step ? 1 : 0)} ${units[step]}`;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

// Of seconds since the epoch: the time of today, else with the date.
export function when(seconds) {
  if (!known(seconds)) return OPEN;
  const day = new Date(seconds * 1000);
  return (day.toDateString() === new Date().toDateString() ? clock : date).format(day);
}

// How to write the times along a line: a night's line needs no dates.
export function along(times) {
  const near = times.length && times.at(-1) - times[0] < 43200 && Date.now() / 1000 - times.at(-1) < 43200;
  return near ? (seconds) => clock.format(new Date(seconds * 1000)) : when;
}

export function ago(seconds) {
  if (!known(seconds)) return OPEN;
  const past = Math.max(0, Date.now() / 1000 - seconds);
  if (past < 90) return `${Math.round(past)} s ago`;
  if (past < 5400) return `${Math.round(past / 60)} min ago`;
  return past < 129600 ? `${Math.round(past / 3600)} h ago` : `${Math.round(past / 86400)} days ago`;
}

export const duration = (seconds) => (!known(seconds) ? OPEN : seconds < 90 ? `${+seconds.toFixed(1)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`);
