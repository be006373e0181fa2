// Search: results while one types (previews), a logged search once one stops, real events, and why.

import { keyText, post, Refusal } from "./api.js";
import { compare, onChoice } from "./beside.js";
import { byId, el, empty, fill } from "./dom.js";
import { namesIn, showFacets } from "./facets.js";
import { hitRow, titleOf } from "./hits.js";
import { latest } from "./latest.js";
import { sentenceOf, start, tell } from "./studio.js";
import { ms, plural } from "./words.js";
import { showWhy } from "./why.js";

const SETTLED_MS = 900;
const ACTIONS = { like: "Like", play: "Play", purchase: "Purchase" };

const box = byId("query");
const newest = latest();
const chosen = new Map();
const client = remembered("bowerbird-client", () => `studio-${crypto.getRandomValues(new Uint32Array(1))[0].toString(16)}`);
let names = [];
let settling;
let answer = null;
let tracker = null;

start();
box.value = new URLSearchParams(location.search).get("q") ?? "";
byId("ask-form").addEventListener("submit", (event) => {
  event.preventDefault();
  settle();
});
box.addEventListener("input", typed);
byId("look").checked = sessionStorage.getItem("bowerbird-look") === "yes";
byId("look").addEventListener("change", () => {
  sessionStorage.setItem("bowerbird-look", byId("look").checked ? "yes" : "no");
  typed();
});
byId("beside").addEventListener("change", () => {
  byId("single").hidden = byId("beside").checked;
  byId("compare").hidden = !byId("beside").checked;
  typed();
});
onChoice(typed);
typed();

// Half-typed words are previews: what nobody meant to ask must not teach.
function typed() {
  clearTimeout(settling);
  const where = box.value.trim() ? `/?${new URLSearchParams({ q: box.value })}` : "/";
  history.replaceState(null, "", where);
  if (byId("beside").checked) {
    compare(box.value, filters());
    return;
  }
  search({ preview: true });
  if (box.value.trim() && !byId("look").checked) settling = setTimeout(settle, SETTLED_MS);
}

function settle() {
  clearTimeout(settling);
  if (byId("beside").checked) return compare(box.value, filters());
  return search({ preview: byId("look").checked });
}

function filters() {
  return Object.fromEntries([...chosen].filter(([, values]) => values.size).map(([name, values]) => [name, [...values]]));
}

async function search({ preview }) {
  const query = box.value;
  const body = { query, size: 10, preview, explain: !preview, filters: filters(), facets: names };
  if (!preview) Object.assign(body, { client_id: client, session_id: session() });
  try {
    const answered = await newest((signal) => post("/v1/search", body, { signal }));
    if (!answered) return null;
    answer = { ...answered.value, query, preview };
    track();
    show();
    if (!names.length && answer.hits.length) {
      names = namesIn(answer.hits);
      return search({ preview });
    }
    return answer;
  } catch (error) {
    byId("told").textContent = sentenceOf(error);
    if (!(error instanceof Refusal)) console.error(error);
    return null;
  }
}

const session = () => tracker?.sessionId ?? client;

// Views and clicks, by the same script as on any page; there is nothing to tell of a search that is not logged.
function track() {
  tracker ??= window.bowerbird?.track({ clientId: client, key: keyText() });
  if (answer.logged) byId("results").dataset.bowerbirdQueryId = answer.query_id;
  else delete byId("results").dataset.bowerbirdQueryId;
}

function show() {
  byId("told").textContent = told();
  showFacets(byId("facets"), answer.facets, chosen, typed);
  if (answer.hits.length) fill(byId("results"), answer.hits.map((hit) => hitRow(hit, { acts: acts(hit), click: () => clicked(hit) })));
  else fill(byId("results"), el("li", {}, nothing()));
}

function told() {
  const arms = Object.keys(answer.arms).length;
  const found = `${plural(answer.candidates, "candidate")} from ${plural(arms, "arm")} in ${ms(answer.took_ms)}, plan ${answer.plan.name}`;
  const state = answer.preview ? "A preview: not logged." : answer.logged ? "Logged: what you do now teaches." : "Not logged: the event log cannot be written.";
  return `${answer.query.trim() ? found : `What is popular: ${found}`}. ${state}${answer.degraded ? " An arm did not answer." : ""}`;
}

function nothing() {
  if (Object.keys(filters()).length) return empty("Nothing passes these filters.", "Take one away.");
  return empty("The catalogue is empty.", "Load items with ", el("code", {}, "bowerbird ingest FILE"), " or PUT /v1/items, then search again.");
}

function acts(hit) {
  const act = (name) => el("button", { type: "button", onclick: (event) => send(name, hit, event.currentTarget) }, ACTIONS[name], el("span", { class: "visually-hidden" }, `: ${titleOf(hit)}`));
  const why = el("button", { type: "button", class: "link", onclick: () => showWhy(hit, answer, answer.query, () => explained(hit)) }, "Why this result", el("span", { class: "visually-hidden" }, `: ${titleOf(hit)}`));
  return el("div", { class: "acts" }, Object.keys(ACTIONS).map(act), why);
}

async function explained(hit) {
  const again = await post("/v1/search", { query: answer.query, size: 10, preview: true, explain: true, plan: answer.plan.name, filters: filters() });
  return again.hits.find((each) => each.id === hit.id);
}

// The script has told of it already, unless this was only a preview.
async function clicked(hit) {
  if (byId("look").checked) return tell("You are only looking. Untick “Only look” to send events.");
  if (answer.preview) {
    const shown = (await settle())?.hits.find((each) => each.id === hit.id);
    if (!shown) return tell("This item is no longer on the page. Search again.");
    tracker?.event("click", answer.query_id, hit.id, shown.position);
  }
  if (!answer.logged) return tell("This search is not in the log, so it takes no events.");
  if (!tracker?.sessionId) return tell("Nothing was sent: this browser asks not to be tracked.");
  byId("results").querySelector(`[data-item="${CSS.escape(hit.id)}"]`)?.classList.add("acted");
  tell(`Sent: click on “${titleOf(hit)}”. The learner takes it in when the window closes.`);
}

// An event needs a logged search. What was only a preview is searched again first.
async function send(action, hit, button) {
  if (byId("look").checked) return tell("You are only looking. Untick “Only look” to send events.");
  const asked = answer.preview ? await settle() : answer;
  const shown = asked?.hits.find((each) => each.id === hit.id);
  if (asked && !asked.logged) return tell("This search is not in the log, so it takes no events.");
  if (!shown) return tell("This item is no longer on the page. Search again.");
  const event = {
    event_id: crypto.randomUUID?.() ?? `${client}-${Date.now()}-${Math.random()}`,
    action_name: action,
    query_id: asked.query_id,
    client_id: client,
    session_id: session(),
    event_attributes: { object: { object_id: hit.id }, position: { ordinal: shown.position } },
  };
  try {
    await post("/v1/events", event);
    byId("results").querySelector(`[data-item="${CSS.escape(hit.id)}"]`)?.classList.add("acted");
    button.setAttribute("aria-pressed", "true");
    tell(`Stored: ${ACTIONS[action].toLowerCase()} on “${titleOf(hit)}”. The learner takes it in when the window closes.`);
  } catch (error) {
    tell(sentenceOf(error));
  }
}

function remembered(name, make) {
  if (!sessionStorage.getItem(name)) sessionStorage.setItem(name, make());
  return sessionStorage.getItem(name);
}
