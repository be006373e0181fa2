// One hit of an answer, with a badge for each arm that found it.

import { el } from "./dom.js";

export const titleOf = (hit) => hit.fields.title ?? hit.fields.name ?? hit.id;

export function badges(arms) {
  const found = Object.entries(arms).sort(([, one], [, other]) => one.rank - other.rank);
  return el(
    "ul",
    { class: "badges", "aria-label": "Found by" },
    found.map(([arm, { rank }]) => el("li", { class: "badge", "data-arm": arm }, el("span", { class: "badge-name" }, arm), ` ${rank}`, el("span", { class: "visually-hidden" }, `: rank ${rank} in this arm's answer`))),
  );
}

function about(hit) {
  const others = Object.entries(hit.fields).filter(([name]) => !["title", "name", "description"].includes(name));
  const year = hit.numbers?.year;
  return [hit.type, ...others.slice(0, 2).map(([, text]) => text), year].filter(Boolean).join(" · ");
}

// `acts`: nodes under the badges; `note`: a line beside the place; `click`: what a click on the title does, if anything.
// The browser script tells of views of the title, and of clicks on it, where the list names its search.
export function hitRow(hit, { acts = null, note = null, click = null } = {}) {
  const marks = { "data-bowerbird-item": hit.id, "data-bowerbird-position": String(hit.position) };
  const title = click ? el("button", { type: "button", class: "title", onclick: click, ...marks }, titleOf(hit)) : titleOf(hit);
  return el(
    "li",
    { class: "hit", "data-item": hit.id },
    el("p", { class: "place", "aria-hidden": "true" }, String(hit.position)),
    el(
      "article",
      { "aria-label": `${hit.position}. ${titleOf(hit)}` },
      el("h3", {}, title),
      el("p", { class: "about" }, about(hit)),
      hit.fields.description ? el("p", { class: "prose" }, hit.fields.description) : null,
      note,
      el("div", { class: "hit-foot" }, badges(hit.arms), acts),
    ),
  );
}
