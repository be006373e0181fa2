// Two policies or plans, side by side, for the same query. Previews only.

import { get, post } from "./api.js";
import { byId, el, fill } from "./dom.js";
import { hitRow } from "./hits.js";
import { latest } from "./latest.js";
import { sentenceOf } from "./studio.js";
import { figure, plural } from "./words.js";

const SIDES = ["left", "right"];
const newest = latest();
let filled = false;

export async function compare(query, filters) {
  await fillChoices();
  const bodies = SIDES.map((side) => ({ query, filters, size: 10, preview: true, ...forced(byId(side).value) }));
  try {
    const answered = await newest((signal) => Promise.all(bodies.map((body) => post("/v1/search", body, { signal }))));
    if (!answered) return;
    const [left, right] = answered.value;
    show("left", left, right);
    show("right", right, left);
    const both = shared(left, right);
    byId("told").textContent = `${plural(both.length, "item")} on both pages. ${agreement(left, right)}`;
  } catch (error) {
    byId("told").textContent = sentenceOf(error);
  }
}

export function onChoice(again) {
  for (const side of SIDES) byId(side).addEventListener("change", again);
}

const forced = (value) => {
  const [kind, name] = value.split(/:(.*)/s);
  return { [kind]: name };
};

async function fillChoices() {
  if (filled) return;
  const { plans, policies } = await get("/v1/plans");
  const names = { served: "What serves", warmup: "Warm-up policy", uniform: "Any plan, all alike", fixed: "Default plan, always", champion: "Champion", candidate: "Candidate", control: "Control" };
  for (const side of SIDES) {
    fill(
      byId(side),
      el("optgroup", { label: "Policies" }, Object.entries(policies).map(([name, version]) => el("option", { value: `policy:${name}` }, `${names[name] ?? name} (${version})`))),
      el("optgroup", { label: "Plans" }, plans.map((plan) => el("option", { value: `plan:${plan.name}` }, `${plan.name}: ${Object.keys(plan.depths).join(", ")}`))),
    );
  }
  byId("right").value = `plan:${plans.find((plan) => plan.default)?.name ?? plans[0].name}`;
  filled = true;
}

const shared = (one, other) => one.hits.filter((hit) => other.hits.some((each) => each.id === hit.id));

function agreement(left, right) {
  const same = left.hits.length === right.hits.length && left.hits.every((hit, index) => hit.id === right.hits[index].id);
  return same ? "The order is the same." : "The order differs.";
}

function show(side, answer, other) {
  const depths = Object.entries(answer.plan.depths).map(([arm, depth]) => `${arm} ${depth}`).join(", ");
  const cost = Object.values(answer.arms).reduce((sum, arm) => sum + arm.took_ms, 0);
  byId(`${side}-told`).textContent = `Plan ${answer.plan.name} (${depths}), ${figure(cost, 1)} ms of all arms, ${plural(answer.candidates, "candidate")}.`;
  fill(byId(`${side}-results`), answer.hits.map((hit) => hitRow(hit, { note: moved(hit, other) })));
}

function moved(hit, other) {
  const there = other.hits.find((each) => each.id === hit.id)?.position;
  if (there === undefined) return el("p", { class: "moved only" }, "only here");
  if (there === hit.position) return el("p", { class: "moved" }, "the same place beside");
  return el("p", { class: "moved" }, `place ${there} beside`);
}
