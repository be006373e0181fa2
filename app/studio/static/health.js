// Health: arms, the learner, what serves, the room it takes, and the doctor in words.

import { get } from "./api.js";
import { byId, definitions, el, empty, fill, table } from "./dom.js";
import { keepReading, start } from "./studio.js";
import { ago, bytes, count, duration, ms, plural, when } from "./words.js";

const STATES = { ok: "✓ fine", waits: "… waits", broken: "✗ broken" };
const STATUS = { ok: "All is well.", degraded: "Degraded: an arm is not asked, or hangs.", stopping: "The service is about to stop." };
const CIRCUITS = { closed: "", open: "not asked: it failed too often", half_open: "being tried again" };
const DOCTOR_EVERY = 5;
let rounds = 0;

start();
keepReading(read, 2);

async function read() {
  const [found, now] = await Promise.all([get("/v1/insights/health"), get("/healthz")]);
  byId("summary").textContent = `${STATUS[now.status]} ${plural(found.items, "item")} can be found. Release ${found.release} serves, published ${ago(found.released)}. ${learner(found.learner, now.learner_lag_s)}`;
  arms(found.arms, now.arms);
  fill(byId("models"), models(found, now));
  storage(found.storage);
  if (rounds++ % DOCTOR_EVERY === 0) doctor(await get("/v1/doctor"));
}

function learner({ written, newest, episodes, window_s }, lag) {
  if (!written && lag === undefined) return "No learner has run yet: bowerbird serve starts one, bowerbird learn is another.";
  if (!written) return `The learner has taken in nothing yet: it waits ${duration(window_s)} for the feedback of a search.`;
  return `The learner has taken in ${plural(episodes, "search", "searches")}, the last time ${ago(written)}; the newest of them was asked ${ago(newest)} (it waits ${duration(window_s)} for feedback).${lag === undefined ? "" : ` It had caught up with the log ${duration(lag)} ago.`}`;
}

const share = ({ calls, statuses }, status) => (calls ? `${count(statuses[status] ?? 0)} of ${count(calls)}` : null);

function arms(found, guards) {
  const rows = found.map((arm) => ({ ...arm, bad: (arm.statuses.timeout ?? 0) + (arm.statuses.error ?? 0) + (arm.statuses.skipped ?? 0) }));
  const guarded = ({ arm }) => {
    const { circuit = "closed", stuck = 0 } = guards[arm] ?? {};
    return [CIRCUITS[circuit], stuck ? `${plural(stuck, "call")} still hanging` : null].filter(Boolean).join(", ");
  };
  const trouble = (arm) => guarded(arm) && el("span", { class: "bad" }, `✗ ${guarded(arm)}`);
  const state = (arm) => trouble(arm) || answers(arm);
  const answers = ({ calls, bad }) => (!calls ? "not asked yet" : bad ? el("span", { class: "bad" }, `✗ ${plural(bad, "failure")}`) : el("span", { class: "good" }, "✓ answers"));
  fill(
    byId("arms"),
    table(
      "The newest calls of each arm, at most 500, since the service started",
      [
        { name: "Arm", value: ({ arm }) => el("span", { class: "badge", "data-arm": arm }, arm) },
        { name: "State", value: state },
        { name: "Calls", number: true, value: ({ calls }) => (calls ? count(calls) : null) },
        { name: "Median", number: true, value: ({ p50_ms }) => (p50_ms === undefined ? null : ms(p50_ms)) },
        { name: "99th percentile", number: true, value: ({ p99_ms }) => (p99_ms === undefined ? null : ms(p99_ms)) },
        { name: "Too late", number: true, value: (arm) => share(arm, "timeout") },
        { name: "Failed", number: true, value: (arm) => share(arm, "error") },
        { name: "Left out", number: true, value: (arm) => share(arm, "skipped") },
      ],
      rows,
    ),
  );
}

function models({ policy, ranker, config, models: parts, released }, { needs_restart }) {
  const versions = Object.entries(parts).map(([name, digest]) => [name, el("code", {}, digest)]);
  return [
    definitions([["Policy", el("code", {}, policy)], ["Ranker", el("code", {}, ranker)], ["Configuration", el("code", {}, config)], ["Published", released ? when(released) : null], ["Needs a restart", needs_restart.join(", ")]]),
    versions.length ? el("details", {}, el("summary", {}, plural(versions.length, "model")), definitions(versions)) : empty("No release yet.", "Nothing has been learned; the warm-up policy and reciprocal rank fusion serve."),
  ];
}

function storage({ parts, free }) {
  const columns = [
    { name: "Part", value: ([name]) => name },
    { name: "Room", number: true, value: ([, size]) => bytes(size) },
  ];
  fill(byId("storage"), table(`Bytes on disk; ${bytes(free)} are free`, columns, Object.entries(parts)));
}

function doctor({ findings }) {
  const mark = ({ state }) => el("span", { class: { ok: "good", broken: "bad" }[state] ?? "waits" }, STATES[state]);
  const columns = [
    { name: "Part", value: ({ part }) => part },
    { name: "State", value: mark },
    { name: "In words", wide: true, value: ({ message }) => message },
  ];
  fill(byId("doctor"), table("What bowerbird doctor says", columns, findings, { hidden: true }));
}
