// Learning: what the learner has noticed, drawn again every two seconds.

import { get } from "./api.js";
import { Chart, dashOf, withGaps } from "./chart.js";
import { byId, el, empty, fill, table } from "./dom.js";
import { showReleases, showRollout } from "./rollout.js";
import { keepReading, start } from "./studio.js";
import { ago, along, count, duration, figure, ms, percent, plural, signed } from "./words.js";

const NEXT = "Searches teach once their window has closed: search, click, and leave a learner running (bowerbird serve starts one).";
const twin = (name) => `/v1/insights/learning/${name}.json`;

start();
const reward = new Chart(byId("reward"), { twin: twin("reward"), nothing: NEXT });
const curve = new Chart(byId("curve"), { twin: twin("curve"), nothing: NEXT });
const arms = new Chart(byId("arms"), { twin: twin("arms"), nothing: NEXT });
let written;
keepReading(read, 2);
const again = keepReading(readPolicies, 5);

async function readPolicies() {
  const policies = await get("/v1/policies");
  showRollout(byId("rollout"), policies, again);
  showReleases(byId("releases"), policies, again);
}

async function read() {
  const found = await get("/v1/insights/learning");
  byId("summary").textContent = summary(found);
  if (found.written !== written || written === undefined) {
    written = found.written ?? null;
    draw(found);
  }
}

function summary(found) {
  if (!found.written) return `Nothing has been learned yet: a learner waits ${duration(found.window_s)} for the feedback of a search.`;
  const clicked = found.episodes ? `, ${percent(found.clicked / found.episodes)} with a click` : "";
  return `${plural(found.episodes, "search", "searches")} learned from${clicked}. The newest was asked ${ago(found.newest)}; feedback is waited for ${duration(found.window_s)}.`;
}

function draw(found) {
  const best = found.plans.find((plan) => plan.name === found.best_plan);
  const time = withGaps(found.over_time);
  const times = time.map((step) => step.x);
  const searches = withGaps(found.over_searches);
  fill(byId("figures"), figures(found, best));
  reward.draw({ ...rewards(time, best), x: { values: times, name: "Time", time: true, format: along(times) }, format: (value) => figure(value, 2) });
  curve.draw({ ...rewards(searches, best), x: { values: searches.map((step) => step.x), name: "Searches", time: false, format: (value) => count(Math.round(value)) }, format: (value) => figure(value, 2) });
  arms.draw({ series: shares(time), x: { values: times, name: "Time", time: true, format: along(times) }, format: (value) => percent(value), range: [0, 1.02] });
  fill(byId("kinds"), heat(found.kinds));
  fill(byId("plans"), plans(found));
  fill(byId("off-policy"), offPolicy(found.off_policy));
}

const line = (steps, pick, key) => steps.map((step) => pick(step)?.[key] ?? null);

function rewards(steps, best) {
  const series = [{ name: "What served", colour: "--accent", values: line(steps, (step) => step.reward, "mean"), low: line(steps, (step) => step.reward, "low"), high: line(steps, (step) => step.reward, "high"), width: 3 }];
  if (steps.some((step) => step.control?.mean !== undefined)) {
    series.push({ name: "Control", colour: "--warn", dash: [4, 4], values: line(steps, (step) => step.control, "mean"), low: line(steps, (step) => step.control, "low"), high: line(steps, (step) => step.control, "high") });
  }
  if (best) series.push({ name: `Best fixed plan (${best.name}), where it was tried`, colour: "--soft", dash: [12, 6], values: line(steps, (step) => step.best, "mean"), low: line(steps, (step) => step.best, "low"), high: line(steps, (step) => step.best, "high") });
  return { series };
}

function shares(steps) {
  const names = [...new Set(steps.flatMap((step) => Object.keys(step.arms ?? {})))];
  return names.map((arm) => ({ name: arm, colour: `--arm-${arm}`, dash: dashOf(arm), values: steps.map((step) => (step.arms ? (step.arms[arm] ?? 0) : null)) }));
}

// The first and the last tenth of the searches, and what a plan that never changes would earn.
function figures(found, best) {
  const steps = found.over_searches;
  const tenth = Math.max(1, Math.round(steps.length / 10));
  const mean = (part) => {
    const counted = part.filter((step) => step.reward.count);
    const total = counted.reduce((sum, step) => sum + step.reward.count, 0);
    return total ? counted.reduce((sum, step) => sum + step.reward.mean * step.reward.count, 0) / total : undefined;
  };
  const between = (value) => (value?.low === undefined ? "" : `${figure(value.low, 2)} to ${figure(value.high, 2)}`);
  return [
    big("First tenth of the searches", figure(mean(steps.slice(0, tenth)), 2), "mean reward"),
    big("Last tenth", figure(mean(steps.slice(-tenth)), 2), "mean reward"),
    big("Best fixed plan", best ? figure(best.reward.mean, 2) : "no data yet", best ? `${best.name}, ${between(best.reward)}, when it was tried. ${meanwhile(steps)}` : "no plan stands on 30 effective searches"),
    big("Control", figure(found.control?.mean, 2), found.control ? `${percent(found.control.share)} of the clients, who get the warm-up policy for ever${found.control.low === undefined ? "" : `; ${between(found.control)}`}` : "there is none: rollout is off"),
  ];
}

// A plan that was tried early is not to be compared with what serves now: memory and ranker have learned since.
function meanwhile(steps) {
  const both = steps.filter((step) => step.best && step.reward.count);
  const weight = both.reduce((sum, step) => sum + step.best.effective, 0);
  return weight ? `What served earned ${figure(both.reduce((sum, step) => sum + step.reward.mean * step.best.effective, 0) / weight, 2)} at that time` : "";
}

const big = (name, value, note) => el("div", { class: "figure" }, el("p", { class: "figure-name" }, name), el("p", { class: value === "no data yet" ? "figure-value open" : "figure-value" }, value), el("p", { class: "figure-note" }, note));

function heat(kinds) {
  if (!kinds.length) return empty("No data yet.", NEXT);
  const names = [...new Set(kinds.flatMap((kind) => Object.keys(kind.arms)))].sort();
  const cell = (value) => el("span", { class: "heat", vars: { "--heat": value } }, percent(value));
  return [
    table(
      "Share of the searches of each kind that asked each arm",
      [{ name: "Kind of query", value: ({ kind }) => kind }, { name: "Searches", number: true, value: ({ searches }) => count(searches) }, ...names.map((arm) => ({ name: arm, number: true, value: (kind) => cell(kind.arms[arm] ?? 0) }))],
      kinds,
    ),
    twinOf("kinds"),
  ];
}

const twinOf = (name) => el("p", { class: "twin" }, el("a", { href: twin(name) }, "JSON"));
const interval = (found) => (found.mean === undefined ? null : found.low === undefined ? figure(found.mean) : `${figure(found.mean)} (${figure(found.low, 2)} to ${figure(found.high, 2)})`);
const meter = (share) => (share === undefined ? null : el("span", { class: "metered" }, percent(share), el("span", { class: "meter", "aria-hidden": "true" }, el("span", { vars: { "--share": share } }))));

function plans(found) {
  if (!found.plans.some((plan) => plan.searches)) return empty("No plan has served yet.", NEXT);
  const rows = [...found.plans].sort((one, other) => other.searches - one.searches);
  return [
    table(
      "Plans, the most used first",
      [
        { name: "Plan", value: (plan) => (plan.name === found.best_plan ? el("strong", {}, `${plan.name} (best)`) : plan.name) },
        { name: "Searches", number: true, value: ({ searches }) => count(searches) },
        { name: "Earns, when tried", number: true, value: ({ reward }) => interval(reward) ?? "cannot tell" },
        { name: "Effective searches", number: true, value: ({ reward }) => (reward.effective ? count(Math.round(reward.effective)) : "too few") },
        { name: "Coverage", number: true, value: ({ coverage }) => meter(coverage) },
        { name: "Cost", number: true, value: ({ milliseconds }) => (milliseconds.mean === undefined ? null : ms(milliseconds.mean)) },
        { name: "Asks", wide: true, value: ({ depths }) => Object.entries(depths).map(([arm, depth]) => `${arm} ${depth}`).join(", ") },
      ],
      rows,
    ),
    found.plans.some((plan) => plan.coverage !== undefined) ? null : el("p", { class: "note" }, "Coverage waits for shadow traffic with clicks: shadow.share of the searches ask every arm after the answer."),
    twinOf("plans"),
  ];
}

const POLICIES = { served: "What serves", candidate: "Candidate", warmup: "Warm-up", uniform: "Any plan, all alike", fixed: "Default plan, always" };

function offPolicy(rows) {
  if (!rows.length) return empty("No estimate yet.", NEXT);
  return [
    table(
      "Policies on the newest searches",
      [
        { name: "Policy", value: ({ name, policy }) => el("span", {}, POLICIES[name] ?? name, " ", el("code", {}, policy)) },
        { name: "Would earn", number: true, value: (row) => (row.value === undefined ? null : `${figure(row.value)} (${figure(row.low, 2)} to ${figure(row.high, 2)})`) },
        { name: "Beside", number: true, value: (row) => (row.value === undefined ? null : signed(row.value - row.logged)) },
        { name: "Effective of", number: true, value: (row) => (row.effective === undefined ? null : `${count(Math.round(row.effective))} of ${count(row.rows)}`) },
        { name: "Verdict", wide: true, value: ({ verdict }) => verdict },
      ],
      rows,
    ),
    twinOf("off-policy"),
  ];
}
