// Elements in one expression. Text is always text: nothing here parses HTML.

export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "vars") for (const [key, each] of Object.entries(value)) made.style.setProperty(key, each);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const byId = (id) => document.getElementById(id);

export function fill(target, ...children) {
  target.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return target;
}

// Rows of [heading, value]; those without a value are left out.
export function definitions(rows) {
  const known = rows.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return el("dl", {}, known.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

// `columns`: [{name, number, wide, value(row)}]. The first column is the row's heading.
export function table(caption, columns, rows, { hidden = false } = {}) {
  const cell = (column, row, first) => {
    const value = column.value(row);
    const known = value !== undefined && value !== null && value !== "";
    const classes = [column.number && "number", column.wide && "wide", !known && "open"].filter(Boolean).join(" ") || undefined;
    return el(first ? "th" : "td", { class: classes, scope: first ? "row" : undefined }, known ? value : "no data yet");
  };
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: ${caption}` },
    el(
      "table",
      {},
      el("caption", { class: hidden ? "visually-hidden" : undefined }, caption),
      el("thead", {}, el("tr", {}, columns.map((each) => el("th", { scope: "col", class: each.number ? "number" : undefined }, each.name)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, columns.map((each, index) => cell(each, row, index === 0))))),
    ),
  );
}

export const empty = (title, ...next) => el("div", { class: "empty" }, el("p", { class: "empty-title" }, title), el("p", {}, ...next));
