// The rollout: who gets which policy, what was decided, and the buttons that ask before they act.

import { post } from "./api.js";
import { el, empty, fill, table } from "./dom.js";
import { ask, sentenceOf, tell } from "./studio.js";
import { percent } from "./words.js";

const RELEASES = 6;
const shown = new WeakMap();

// Drawn only when something has changed, so that a button keeps its focus.
function changed(target, found) {
  const now = JSON.stringify(found);
  if (shown.get(target) === now) return false;
  shown.set(target, now);
  return true;
}

export function showRollout(target, policies, again) {
  const { rollout, roles, decisions, stages, stage, served, kind } = policies;
  if (!changed(target, { rollout, roles, decisions, stages, stage, served })) return;
  if (!rollout) {
    const why = kind === "coverage" ? "Where real people search, set rollout.enabled to true: new policies then pass a gate and grow by stages." : `policy.kind is “${kind}”, which has no stages.`;
    fill(target, empty("Rollout is off: what is learned serves at once.", "Serving now: ", el("code", {}, served), `. ${why}`));
    return;
  }
  if (!stages.length) {
    fill(target, whoGetsWhat(roles), el("p", { class: "note" }, "There is no gate and there are no stages (rollout.stages is empty): what is learned serves at once, to all but the control."));
    return;
  }
  const candidate = roles.find((role) => role.role === "candidate");
  const force = el("input", { type: "checkbox", id: "force" });
  const next = stage === undefined ? null : stage < stages.length ? `${percent(stages[stage])} of the clients` : "all clients but the control";
  const promote = el("button", { type: "button", class: "strong", disabled: !candidate, onclick: () => act(again, { path: "/v1/policies/promote", body: () => ({ force: force.checked }), title: "Promote the candidate?", text: () => `${candidate.policy} will serve ${next}. ${force.checked ? "Gate and guardrails will not be asked." : "The gate and the guardrails must agree."} You can take it back.`, yes: "Promote" }) }, "Promote the candidate");
  const rollback = el("button", { type: "button", onclick: () => act(again, { path: "/v1/policies/rollback", body: () => ({}), title: candidate ? "Drop the candidate?" : "Return to the champion before?", text: () => (candidate ? `${candidate.policy} will serve nobody, and will not be offered again.` : `${served} will stop serving; the champion before it returns.`), yes: "Roll back" }) }, candidate ? "Drop the candidate" : "Return to the champion before");
  fill(
    target,
    whoGetsWhat(roles),
    candidate ? el("p", { class: "note" }, `Stages: gate, ${stages.map((each) => percent(each)).join(", ")}, champion. ${stage === 0 ? "It is at the gate." : `It is at stage ${stage} of ${stages.length}.`}`) : el("p", { class: "note" }, "There is no candidate. The learner offers one when it has learned enough."),
    el("div", { class: "actions" }, promote, rollback, candidate ? el("label", { class: "switch" }, force, "whatever gate and guardrails say") : null),
    decisions.length
      ? table(
          "Decisions, the newest first",
          [
            { name: "When", value: ({ time }) => new Date(time).toLocaleString("en-GB") },
            { name: "What", value: ({ what }) => what },
            { name: "Policy", value: ({ policy }) => el("code", {}, policy) },
            { name: "Why", wide: true, value: ({ reason }) => reason },
          ],
          decisions,
        )
      : el("p", { class: "note" }, "Nothing has been decided yet."),
  );
}

const whoGetsWhat = (roles) =>
  table(
    "Who gets which policy",
    [
      { name: "Role", value: ({ role }) => role },
      { name: "Policy", value: ({ policy }) => el("code", {}, policy) },
      { name: "Clients", number: true, value: ({ role, share }) => (role === "candidate" && !share ? "at the gate: nobody yet" : percent(share)) },
    ],
    roles,
  );

export function showReleases(target, { releases }, again) {
  if (!changed(target, releases.slice(0, RELEASES))) return;
  if (!releases.length) {
    fill(target, empty("No release yet.", "The learner publishes one as soon as it has learned something."));
    return;
  }
  const back = ({ number, current }) => (current ? "serves now" : el("button", { type: "button", onclick: () => act(again, { path: "/v1/policies/rollback", body: () => ({ release: number }), title: `Go back to release ${number}?`, text: () => "All models of that release will serve. The learner goes on publishing: its next release will follow.", yes: "Go back" }) }, `Go back to ${number}`));
  const news = (release) => {
    const before = releases[releases.indexOf(release) + 1]?.components ?? {};
    const names = Object.entries(release.components).filter(([name, digest]) => before[name] !== digest);
    return names.map(([name]) => name).join(", ") || "none: an earlier state";
  };
  fill(
    target,
    table(
      "Releases, the newest first",
      [
        { name: "Release", value: ({ number }) => String(number) },
        { name: "Published", value: ({ created }) => new Date(created).toLocaleString("en-GB") },
        { name: "After searches", number: true, value: ({ notes }) => notes.episodes ?? "by an operator" },
        { name: "New models", wide: true, value: news },
        { name: "Way back", value: back },
      ],
      releases.slice(0, RELEASES),
    ),
  );
}

async function act(again, { path, body, title, text, yes }) {
  const wanted = body();
  if (!(await ask(title, text(), yes))) return;
  try {
    const done = await post(path, wanted);
    const decision = done.decision ?? (done.what ? done : null);
    tell(decision ? `${decision.policy}: ${decision.what}. ${decision.reason}` : `Release ${done.release} is current.`);
  } catch (error) {
    tell(sentenceOf(error));
  }
  again();
}
