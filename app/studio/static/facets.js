// Facets as groups of checkboxes. Which there are is read from what the hits have.

import { el, fill } from "./dom.js";
import { count } from "./words.js";

const MOST = 4;
const SHOWN = 8;
const LONGEST = 40;

// The names to count: attributes that most hits have and that read like values, then the type.
export function namesIn(hits) {
  const seen = new Map();
  for (const hit of hits) {
    for (const [name, values] of Object.entries(hit.attributes)) {
      if (!name.endsWith("_id") && values.every((value) => value.length <= LONGEST)) seen.set(name, (seen.get(name) ?? 0) + 1);
    }
  }
  const names = [...seen.entries()].sort(([, one], [, other]) => other - one).map(([name]) => name);
  return ["type", ...names.slice(0, MOST)];
}

// `chosen`: name -> Set of values. `change` is called after each click.
export function showFacets(target, facets, chosen, change) {
  const groups = Object.entries(facets ?? {}).filter(([name, values]) => Array.isArray(values) && (values.length > 1 || chosen.get(name)?.size));
  const focused = document.activeElement?.dataset?.facet;
  fill(target, groups.map(([name, values]) => group(name, values, chosen, change)));
  if (focused) target.querySelector(`[data-facet="${CSS.escape(focused)}"]`)?.focus();
}

function group(name, values, chosen, change) {
  const wanted = chosen.get(name) ?? new Set();
  const rows = values.slice(0, SHOWN).map(({ value, count: number }) => {
    const box = el("input", { type: "checkbox", "data-facet": `${name}=${value}`, checked: wanted.has(value) });
    box.addEventListener("change", () => {
      box.checked ? wanted.add(value) : wanted.delete(value);
      chosen.set(name, wanted);
      change();
    });
    return el("li", {}, el("label", {}, box, el("span", {}, value), el("span", { class: "count" }, count(number))));
  });
  return el("fieldset", {}, el("legend", {}, name), el("ul", {}, rows));
}
