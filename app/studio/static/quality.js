// Quality: two items side by side, which is better and why; and what all judgments show together.

import { get, post } from "./api.js";
import { byId, el, empty, fill, table } from "./dom.js";
import { sentenceOf, start, tell } from "./studio.js";
import { count, figure, percent, plural } from "./words.js";

const SOURCES = { seller: "the seller", review: "reviews", question: "questions" };
const FIGURES = { judged: "What judges found better", rating: "The higher rating", residual: "The better rating for the price" };

start();
const done = new Set();
next(false);
report();

async function next(focus) {
  try {
    const { pairs } = await get("/v1/quality/pairs?limit=20");
    const pair = pairs.find((each) => !done.has(each.pair_id)) ?? pairs[0];
    if (!pair) {
      fill(byId("task"), empty("There are no pairs to compare yet.", "They come from items with customers' reviews or questions that were searched for and bought. With some in the catalogue, run ", el("code", {}, "bowerbird quality build"), "."));
      return;
    }
    show(pair);
    if (focus) byId("task").querySelector("input").focus();
  } catch (error) {
    fill(byId("task"), el("p", {}, sentenceOf(error)));
  }
}

function show(pair) {
  const form = el(
    "form",
    {},
    el("p", { class: "note" }, "Somebody searched for ", el("strong", {}, `“${pair.query}”`), `, in ${pair.category}. What was taken is not told here.`),
    el("div", { class: "sides" }, pair.items.map((item, index) => side(item, index))),
    terms(pair.terms),
    el("div", { class: "row judge" }, el("label", {}, "Your name, if you like ", el("input", { type: "text", name: "judge", maxlength: "200", autocomplete: "nickname", value: sessionStorage.getItem("bowerbird-judge") ?? "" }))),
    el("div", { class: "actions" }, el("button", { class: "strong" }, "Store this judgment"), el("button", { type: "button", onclick: () => skip(pair) }, "Cannot tell: another pair")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    judge(pair, new FormData(form));
  });
  fill(byId("task"), form);
}

function side(item, index) {
  const { title, ...rest } = item.seller;
  const name = `item-${index}`;
  return el(
    "section",
    { class: "card", "aria-labelledby": name },
    el("label", { class: "switch choice" }, el("input", { type: "radio", name: "better", value: item.item_id, required: true }), el("span", { id: name, class: "card-title" }, title ?? item.item_id)),
    el("h3", {}, "What the seller says"),
    Object.values(rest).length ? Object.values(rest).map((text) => el("p", {}, text)) : el("p", { class: "open" }, "nothing but the title"),
    el("h3", {}, "What customers say"),
    item.reviews.length ? item.reviews.map(({ text, rating }) => el("blockquote", {}, rating === undefined ? null : el("span", { class: "count" }, `rated ${figure(rating, 1)} `), text)) : el("p", { class: "open" }, "no review"),
    item.questions.map(({ text, answers }) => el("blockquote", {}, el("p", {}, `Asked: ${text}`), answers.map((answer) => el("p", {}, `Answered: ${answer}`)))),
  );
}

function terms(offered) {
  if (!offered.length) return el("p", { class: "note" }, "There are no terms to choose from for this pair.");
  const from = (sources) => `from ${sources.map((source) => SOURCES[source]).join(" and ")}`;
  const boxes = offered.map(({ term, sources }) => el("li", {}, el("label", { class: "switch" }, el("input", { type: "checkbox", name: "terms", value: term }), el("span", {}, term, " ", el("span", { class: "count" }, from(sources))))));
  return el("fieldset", { class: "terms" }, el("legend", {}, "Because of"), el("ul", {}, boxes));
}

async function judge(pair, form) {
  const name = form.get("judge").trim();
  sessionStorage.setItem("bowerbird-judge", name);
  const body = { judgment_id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, pair_id: pair.pair_id, better: form.get("better"), terms: form.getAll("terms"), judge: name || undefined };
  try {
    await post("/v1/quality/judgments", body);
    done.add(pair.pair_id);
    tell("Stored. Here is the next pair.");
    await Promise.all([next(true), report()]);
  } catch (error) {
    tell(sentenceOf(error));
  }
}

function skip(pair) {
  done.add(pair.pair_id);
  next(true);
}

async function report() {
  const found = await get("/v1/quality/report").catch((error) => tell(sentenceOf(error)));
  if (!found) return;
  if (!found.judgments) {
    fill(byId("report"), empty("Nobody has judged yet.", "The first judgment above begins the report: where quality words come from, and what judged quality has to do with price and with what people take."));
    return;
  }
  fill(
    byId("report"),
    el("p", { class: "note" }, `${plural(found.judgments, "judgment")} of ${plural(found.pairs, "pair")}.`),
    sources(found.sources),
    foretells(found),
    items(found.items),
  );
}

function sources(found) {
  const columns = [
    { name: "Source", value: ([name]) => name },
    { name: "Of the chosen terms", number: true, value: ([, { chosen }]) => (chosen === undefined ? null : percent(chosen)) },
    { name: "Of the offered terms", number: true, value: ([, { offered }]) => (offered === undefined ? null : percent(offered)) },
  ];
  return table("Where the terms come from that explain a judgment", columns, Object.entries(found));
}

function foretells({ purchase, price }) {
  const between = (low, high, write) => (low === undefined ? null : `${write(low)} to ${write(high)}`);
  const rows = [
    ...Object.entries(purchase).map(([name, each]) => ({ name: `${FIGURES[name] ?? name} is what people took`, value: each.accuracy === undefined ? null : percent(each.accuracy), between: between(each.low, each.high, percent), of: plural(each.pairs, "pair") })),
    { name: "Judged quality goes with price (correlation)", value: price.correlation === undefined ? null : figure(price.correlation, 2), between: between(price.low, price.high, (value) => figure(value, 2)), of: plural(price.items, "item") },
  ];
  const columns = [
    { name: "Figure", wide: true, value: ({ name }) => name },
    { name: "Value", number: true, value: ({ value }) => value },
    { name: "95 % interval", number: true, value: (row) => row.between },
    { name: "Of", number: true, value: ({ of }) => of },
  ];
  return table("What judged quality has to do with price and purchase", columns, rows);
}

function items(found) {
  const columns = [
    { name: "Item", value: ({ item_id }) => el("code", {}, item_id) },
    { name: "Judged quality", number: true, value: ({ score, error }) => `${figure(score, 2)} ± ${figure(error, 2)}` },
  ];
  return table(`Judged items, the best first${found.length > 20 ? ` (20 of ${count(found.length)})` : ""}`, columns, found.slice(0, 20));
}
