// Memory: the entries of a query, and how predictions gave way to what people did.

import { address, get } from "./api.js";
import { Chart } from "./chart.js";
import { byId, el, empty, fill, table } from "./dom.js";
import { keepReading, start } from "./studio.js";
import { along, count, figure, percent } from "./words.js";

const LINES = 5;
const COLOURS = ["--accent", "--arm-memory", "--arm-vector", "--arm-structured", "--arm-personal", "--arm-popular"];
const DASHED = [5, 5];

start();
const box = byId("query");
let chart;
let drawn = "";
box.value = new URLSearchParams(location.search).get("query") ?? "";
byId("ask-form").addEventListener("submit", (event) => {
  event.preventDefault();
  history.replaceState(null, "", address(location.pathname, { query: box.value.trim() }));
  again();
});
const again = keepReading(read, 2);

async function read() {
  const asked = new URLSearchParams(location.search).get("query")?.trim();
  if (!asked) return suggest();
  byId("suggested").textContent = "";
  const [held, history_] = await Promise.all([get(address("/v1/memory", { query: asked, limit: 20 })), get(address("/v1/memory/history.json", { query: asked }))]);
  const now = JSON.stringify([held, history_]);
  if (now === drawn) return;
  drawn = now;
  course(asked, history_);
  entries(held);
  neighbours(held);
}

async function suggest() {
  const { frequent } = await get("/v1/insights/queries");
  byId("course").hidden = true;
  const link = ({ query }) => [el("a", { href: address("/studio/memory", { query }) }, query), " "];
  if (byId("suggested").childElementCount) return;
  fill(byId("suggested"), frequent.length ? ["Asked most: ", ...frequent.slice(0, 8).flatMap(link)] : "Nobody has searched yet. Ask for any query: there are predictions for all of them.");
  fill(byId("entries"), empty("Name a query above.", "Its entries and their history appear here."));
  fill(byId("neighbours"), el("p", { class: "note" }, "They appear with the entries."));
}

// Per item a dashed line for what was predicted, and a full one from the first examination on.
function course(asked, { points, titles }) {
  byId("course").hidden = false;
  chart ??= new Chart(byId("course"), { twin: "", nothing: "The memory is empty for this query: click a result of it." });
  byId("course").querySelector(".chart-foot a").href = address("/v1/memory/history.json", { query: asked });
  const first = points.length ? [...points, { ...points.at(-1), time: Math.max(points.at(-1).time + 1, Date.now() / 1000) }] : [];
  const best = new Map();
  for (const point of first) for (const entry of point.entries) best.set(entry.item_id, Math.max(best.get(entry.item_id) ?? 0, entry.examined * 1000 + entry.posterior));
  const ids = [...best].sort(([, one], [, other]) => other - one).slice(0, LINES).map(([id]) => id);
  const alone = (title) => ids.filter((id) => titles[id] === title).length === 1;
  const name = (id) => (alone(titles[id]) ? titles[id] : titles[id] ? `${titles[id]} (${id})` : id);
  const series = ids.flatMap((id, index) => lines(id, name(id), COLOURS[index], first));
  const times = first.map(({ time }) => time);
  chart.draw({ series, x: { values: times, name: "Time", time: true, format: along(times) }, format: (value) => figure(value, 2) });
}

function lines(id, title, colour, points) {
  const found = points.map(({ entries }) => entries.find((entry) => entry.item_id === id));
  const predicted = { name: `${title}, predicted`, colour, dash: DASHED, values: found.map((entry) => entry?.prior ?? null) };
  const seen = found.map((entry) => (entry?.examined > 0 ? entry.posterior : null));
  if (seen.every((value) => value === null)) return [predicted];
  return [{ ...predicted, quiet: true }, { name: title, colour, values: seen, width: 2.5 }];
}

function entries({ entries: held }) {
  if (!held.length) {
    fill(byId("entries"), empty("The memory holds nothing for this query.", "Its words are in no item. Search for it and click what is right: the first click makes an entry."));
    return;
  }
  fill(
    byId("entries"),
    table(
      "Entries, the best first",
      [
        { name: "Item", wide: true, value: ({ title, item_id }) => el("span", {}, title || item_id, " ", el("code", {}, item_id)) },
        { name: "State", value: ({ predicted }) => (predicted ? "predicted" : "seen") },
        { name: "Belief", number: true, value: ({ belief }) => percent(belief) },
        { name: "Prior", number: true, value: ({ prior }) => figure(prior) },
        { name: "Gain", number: true, value: ({ gain, predicted }) => (predicted ? null : figure(gain, 1)) },
        { name: "Examined", number: true, value: ({ examined, predicted }) => (predicted ? null : figure(examined, 1)) },
        { name: "Posterior", number: true, value: ({ posterior }) => el("strong", {}, figure(posterior)) },
        { name: "Evidence", number: true, value: evidence },
      ],
      held,
    ),
  );
}

// How far the posterior has gone from the prior, as a share of what people alone would say.
function evidence({ prior, posterior, gain, examined, predicted }) {
  if (predicted) return "all predicted";
  const rate = gain / examined;
  if (Math.abs(rate - prior) < 1e-6) return "as predicted";
  return `${percent(Math.min(1, Math.max(0, (posterior - prior) / (rate - prior))))} from people`;
}

function neighbours({ neighbours: found }) {
  if (!found.length) {
    fill(byId("neighbours"), el("p", { class: "note" }, "None: no similar query has been clicked."));
    return;
  }
  const columns = [
    { name: "Query", value: ({ query }) => el("a", { href: address("/studio/memory", { query }) }, query) },
    { name: "Weight", number: true, value: ({ weight }) => figure(weight) },
  ];
  fill(byId("neighbours"), table(`${count(found.length)} similar queries, by weight`, columns, found));
}
