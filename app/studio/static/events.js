// Events: what came in, what was refused and why, what came late, and the queries that nothing answers well.

import { address, get } from "./api.js";
import { byId, el, empty, fill, table } from "./dom.js";
import { keepReading, start } from "./studio.js";
import { ago, count, duration, percent, when } from "./words.js";

const SHOWN = 25;

start();
keepReading(read, 2);

async function read() {
  const [events, queries] = await Promise.all([get("/v1/insights/events"), get("/v1/insights/queries")]);
  byId("summary").textContent = `Since this process started, ${ago(events.since)}. Feedback counts for a search within ${duration(events.window_s)} of it; what is later is kept and counted as late.`;
  fill(byId("figures"), figures(events));
  refused(events);
  last(events);
  asked("empty", queries.empty, "Every query has found something.", "empty", "Found nothing");
  asked("low", queries.low, "No query is asked often and clicked rarely.", "clicked", "With a click");
  asked("frequent", queries.frequent, "Nobody has searched yet.", "clicked", "With a click");
}

function figures({ counts, late }) {
  const any = Object.keys(counts).length > 0;
  const refusals = Object.entries(counts).filter(([name]) => !["stored", "duplicate"].includes(name)).reduce((sum, [, number]) => sum + number, 0);
  const big = (name, value, note) => el("div", { class: "figure" }, el("p", { class: "figure-name" }, name), el("p", { class: any ? "figure-value" : "figure-value open" }, any ? count(value) : "no data yet"), el("p", { class: "figure-note" }, note));
  return [
    big("Stored", counts.stored ?? 0, "each event once"),
    big("Repeated", counts.duplicate ?? 0, "the same event_id again: counted once"),
    big("Refused", refusals, "with the reason below"),
    big("Late", late, "stored, not credited"),
  ];
}

function refused({ refused: found }) {
  const columns = [
    { name: "When", value: ({ time }) => when(time) },
    { name: "Code", value: ({ code }) => el("code", {}, code) },
    { name: "Why", wide: true, value: ({ message }) => message },
    { name: "Remedy", wide: true, value: ({ remedy }) => remedy },
  ];
  fill(byId("refused"), found.length ? table("The newest refused events first", columns, found.slice(0, SHOWN)) : empty("Nothing has been refused.", "An event is refused when its search or its item is unknown, its action has no weight, or its event_id was used for another."));
}

function last({ events }) {
  const late = ({ late: value }) => (value === undefined ? "not known: its search is older than this process remembers" : value ? "late" : "in time");
  const columns = [
    { name: "When", value: ({ received }) => when(received) },
    { name: "Action", value: ({ action }) => action },
    { name: "Item", value: ({ item_id }) => el("code", {}, item_id) },
    { name: "Query", value: ({ query }) => (query === undefined ? "not known any more" : query || "(what is popular)") },
    { name: "Outcome", value: ({ outcome }) => outcome },
    { name: "In time", value: late },
  ];
  fill(byId("last"), events.length ? table("The newest events first", columns, events.slice(0, SHOWN)) : empty("No event yet.", "Send clicks to POST /v1/events with the query_id of a search, or press Like, Play or Purchase on the ", el("a", { href: "/" }, "search page"), "."));
}

function asked(id, found, nothing, counted, title) {
  const columns = [
    { name: "Query", value: ({ query }) => el("a", { href: address("/", { q: query }) }, query) },
    { name: "Asked", number: true, value: ({ searches }) => count(searches) },
    { name: title, number: true, value: (row) => `${count(row[counted])} (${percent(row[counted] / row.searches)})` },
    { name: "Last", value: ({ last }) => when(last) },
  ];
  fill(byId(id), found.length ? table(byId(`${id}-title`).textContent, columns, found.slice(0, SHOWN), { hidden: true }) : empty(nothing, "The learner counts searches once their window has closed."));
}
