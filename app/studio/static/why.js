// The drawer: why this result, from the answer it was in, the log's row of that search, and the memory.

import { address, get } from "./api.js";
import { byId, definitions, el, fill, table } from "./dom.js";
import { titleOf } from "./hits.js";
import { sentenceOf } from "./studio.js";
import { count, figure, ms, percent, plural, signed } from "./words.js";

const FEATURES = 12;
const PLANS = 5;

// `explained` gives the same hit with its explanation.
export async function showWhy(hit, answer, query, explained) {
  byId("why-title").textContent = titleOf(hit);
  const body = fill(byId("why-body"), el("p", { class: "told" }, "Reading …"));
  byId("why").showModal();
  byId("why-title").focus();
  try {
    const [whole, searched, readings, plans] = await Promise.all([
      hit.explanation ? hit : explained(),
      get(`/v1/insights/searches/${encodeURIComponent(answer.query_id)}`),
      get(address("/v1/readings", { query })),
      get(address("/v1/plans", { query })),
    ]);
    fill(body, howItCame(searched, answer), arms(hit, searched), score(whole ?? hit), memory(whole ?? hit, query), readAs(readings.readings), chances(plans, searched));
  } catch (error) {
    fill(body, el("p", { class: "told" }, sentenceOf(error)));
  }
}

const part = (title, ...children) => el("section", { class: "part" }, el("h3", {}, title), ...children);

function howItCame(searched, answer) {
  const drawn = searched.policy === "forced" ? "none: the plan was asked for by name" : `${figure(searched.propensity, 4)}, the chance with which the plan was drawn`;
  return part(
    "How the answer came about",
    definitions([
      ["Place", `${answer.hits.length} shown of ${plural(answer.candidates, "candidate")}`],
      ["Plan", `${searched.plan.name}: ${Object.entries(searched.plan.depths).map(([arm, depth]) => `${arm} ${depth}`).join(", ")}`],
      ["Propensity", drawn],
      ["Policy", el("code", {}, searched.policy)],
      ["Ranker", el("code", {}, searched.ranker)],
      ["Release", String(searched.release)],
      ["Experiment", searched.experiment],
      ["In the log", searched.logged ? "yes: clicks on it teach" : "no: a preview, from which nothing is learned"],
      ["Whole", searched.degraded ? "no: an arm did not answer, so this search is left out of evaluation" : "yes: every asked arm answered"],
    ]),
  );
}

function arms(hit, searched) {
  const rows = Object.entries(searched.arms).map(([arm, report]) => ({ arm, report, found: hit.arms[arm] }));
  return part(
    "The arms that were asked",
    table(
      "Arms that were asked, and where each had this item",
      [
        { name: "Arm", value: ({ arm }) => el("span", { class: "badge", "data-arm": arm }, arm) },
        { name: "Rank here", number: true, value: ({ found }) => (found ? String(found.rank) : "not found") },
        { name: "Found", number: true, value: ({ report }) => `${report.found} of ${report.depth}` },
        { name: "Time", number: true, value: ({ report }) => ms(report.took_ms) },
        { name: "Status", value: ({ report }) => report.status },
        { name: "Reason", value: ({ found }) => found?.why ?? "–" },
      ],
      rows,
      { hidden: true },
    ),
  );
}

function score(hit) {
  const { base, features } = hit.explanation ?? {};
  if (!features) return part("What made the score", el("p", {}, "This answer was not explained. Search again."));
  const named = Object.entries(features).map(([name, values]) => ({ name, ...values }));
  const counting = named.filter((each) => Math.abs(each.contribution) > 1e-9);
  const rows = (counting.length ? counting : named).slice(0, FEATURES);
  const most = Math.max(...rows.map((each) => Math.abs(each.contribution)), 1e-12);
  const rest = counting.slice(FEATURES).reduce((sum, each) => sum + each.contribution, 0);
  const bar = (each) => el("span", { class: `bar ${each.contribution < 0 ? "down" : "up"}`, vars: { "--share": Math.abs(each.contribution) / most } });
  return part(
    "What made the score",
    el("p", {}, `Score ${figure(hit.score)}: ${figure(base)} for every candidate${rest ? `, ${signed(rest)} from ${plural(counting.length - FEATURES, "smaller feature")}` : ""}, and what follows. The ranker alone gave it place ${hit.explanation.ranked}.${hit.explanation.held_back ? ` Diversity shows it later: ${hit.explanation.held_back}.` : ""}`),
    table(
      "Features with their values, and what each adds to the score",
      [
        { name: "Feature", value: ({ name }) => el("code", {}, name) },
        { name: "Value", number: true, value: ({ value }) => (value === undefined ? "missing" : figure(value)) },
        { name: "Adds", number: true, value: (each) => el("span", { class: "adds" }, signed(each.contribution), bar(each)) },
      ],
      rows,
      { hidden: true },
    ),
  );
}

function memory(hit, query) {
  const found = hit.explanation?.memory;
  const more = el("p", {}, el("a", { href: address("/studio/memory", { query }) }, "All that the memory holds for this query"));
  if (!found) return part("What the memory holds", el("p", {}, "Nothing of this item for this query. A click makes an entry."), more);
  return part(
    "What the memory holds",
    el("p", {}, found.predicted ? "Predicted: nobody has been seen to look at it for this query yet." : `Seen: what people did has ${figure(found.examined, 1)} examinations behind it, against the prediction.`),
    definitions([
      ["Belief", `${figure(found.belief)} that the query's words fit the item`],
      ["Prior", `${figure(found.prior)} gain per examination, predicted`],
      ["People", found.predicted ? null : `gain ${figure(found.gain, 1)} in ${figure(found.examined, 1)} examinations`],
      ["Posterior", el("strong", {}, `${figure(found.posterior)} gain per examination`)],
    ]),
    more,
  );
}

const bounds = ({ from, to }) => (from === undefined ? `at most ${from ?? to}` : to === undefined ? `at least ${from}` : `${from} to ${to}`);

function readAs(readings) {
  if (!readings.length) return part("How the query was read", el("p", {}, "No words, so nothing to read."));
  const sentence = (reading) => {
    const parts = reading.constraints.map((each) => `${each.name} ${each.phrase ? `is “${each.phrase}”` : bounds(each)}`);
    const rest = reading.words.length ? `the words ${reading.words.map((word) => `“${word}”`).join(", ")}` : null;
    return [...parts, rest].filter(Boolean).join("; ") || "just words";
  };
  return part("How the query was read", el("ol", { class: "readings" }, readings.map((each) => el("li", {}, el("span", { class: "count" }, percent(each.likelihood)), " ", sentence(each)))));
}

function chances(plans, searched) {
  const drawn = plans.plans.find((plan) => plan.name === searched.plan.name);
  const rest = plans.plans.filter((plan) => plan !== drawn).sort((one, other) => other.probability - one.probability);
  const rows = [drawn, ...rest.slice(0, PLANS)].filter(Boolean);
  return part(
    "What else could have been asked",
    el("p", {}, "The chance of each plan for this query, under ", el("code", {}, plans.policy), " as it serves now."),
    table(
      "Plans and their chances",
      [
        { name: "Plan", value: (plan) => (plan === drawn ? el("strong", {}, `${plan.name} (drawn)`) : plan.name) },
        { name: "Asks", value: (plan) => Object.entries(plan.depths).map(([arm, depth]) => `${arm} ${count(depth)}`).join(", ") },
        { name: "Chance", number: true, value: (plan) => percent(plan.probability, 1) },
      ],
      rows,
      { hidden: true },
    ),
  );
}
