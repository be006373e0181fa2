// A line chart with intervals, its figures as a table, and its JSON. A quiet line has no entry in the legend. Drawn by uPlot; gaps stay gaps.

import { get, needsKey } from "./api.js";
import { el, empty, table } from "./dom.js";

const DASHES = { lexical: [], vector: [10, 4], memory: [3, 3], structured: [12, 3, 3, 3], sparse: [6, 3], related: [2, 5], personal: [14, 4, 2, 4, 2, 4], explore: [1, 3], popular: [8, 8] };

export const dashOf = (arm) => DASHES[arm] ?? [];

// A canvas knows no light-dark(): the colour as an element has it, rgb(...).
function css(name) {
  const probe = document.body.appendChild(el("span", { vars: { color: `var(${name})` } }));
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

const faint = (colour) => colour.replace("rgb(", "rgba(").replace(")", ", 0.18)");

// `section` holds heading and note. `series`: [{name, colour (a custom property), dash, values, low, high}]; `format`
// writes values, `x` is {values, name, time, format}. `nothing`: what to do while there is no data.
export class Chart {
  constructor(section, { twin, nothing }) {
    this.section = section;
    this.nothing = nothing;
    this.plot = null;
    this.shape = "";
    this.legend = el("ul", { class: "legend" });
    this.body = el("div", { class: "plot", "aria-hidden": "true" });
    this.figures = el("div");
    this.blank = el("div");
    const link = el("a", { href: twin }, "JSON");
    link.addEventListener("click", (event) => withKey(event, twin));
    this.foot = el("div", { class: "chart-foot" }, el("details", {}, el("summary", {}, "Figures as a table"), this.figures), link);
    section.append(this.blank, this.legend, this.body, this.foot);
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(this.body);
    document.addEventListener("theme", () => this.last && this.draw(this.last, true));
  }

  size() {
    return { width: Math.max(240, this.body.clientWidth), height: this.section.classList.contains("wide") ? 320 : 260 };
  }

  draw(data, anew = false) {
    this.last = data;
    const shown = data.x.values.length > 0;
    this.body.hidden = this.foot.hidden = this.legend.hidden = !shown;
    this.blank.replaceChildren(...(shown ? [] : [empty("No data yet.", this.nothing)]));
    if (!shown) return;
    this.tell(data);
    const shape = JSON.stringify([data.series.map((each) => [each.name, Boolean(each.low)]), data.x.time]);
    if (anew || shape !== this.shape || !this.plot) {
      this.plot?.destroy();
      this.plot = new uPlot(this.options(data), columns(data), this.body);
      this.name(null);
      this.shape = shape;
    } else {
      this.plot.setData(columns(data));
    }
  }

  // The lines by name, with their values where the pointer is.
  name(row) {
    const { x, series, format } = this.last;
    const value = (values, write) => (row === null ? "" : values[row] === null ? " –" : ` ${write(values[row])}`);
    this.legend.replaceChildren(
      ...series.filter((each) => !each.quiet).map((each) => el("li", {}, sample(each), el("span", {}, each.name), el("span", { class: "count" }, value(each.values, format)))),
      ...(row === null ? [] : [el("li", { class: "count" }, x.format(x.values[row]))]),
    );
  }

  tell({ x, series, format }) {
    if (this.figures.closest("details").open || !this.figures.hasChildNodes()) {
      const rows = x.values.map((value, row) => ({ value, row })).filter(({ row }) => series.some((each) => each.values[row] !== null));
      const cell = (each, row) => (each.values[row] === null ? null : each.low?.[row] != null && each.high?.[row] != null ? `${format(each.values[row])} (${format(each.low[row])} to ${format(each.high[row])})` : format(each.values[row]));
      const names = [{ name: x.name, value: ({ value }) => x.format(value) }, ...series.map((each) => ({ name: each.name, number: true, value: ({ row }) => cell(each, row) }))];
      this.figures.replaceChildren(table(this.section.querySelector("h2").textContent, names, rows, { hidden: true }));
    }
    this.figures.closest("details").ontoggle = () => this.tell(this.last);
  }

  options({ x, series, format, range }) {
    const axis = { stroke: css("--soft"), grid: { stroke: css("--line"), width: 1 }, ticks: { show: false }, font: "13px system-ui, sans-serif" };
    const shown = (each, colour) => ({ stroke: colour, width: each.width ?? 2, dash: each.dash ?? [], points: { show: each.values.filter((value) => value !== null).length < 3, size: 7, fill: colour }, spanGaps: false });
    const edge = { stroke: "transparent", points: { show: false } };
    const ranged = series.filter((each) => each.low);
    const bands = ranged.map((each, row) => ({ series: [2 * row + 1, 2 * row + 2], fill: faint(css(each.colour)) }));
    const lines = [{}, ...ranged.flatMap(() => [edge, { ...edge }]), ...layered(series).map((each) => shown(each, css(each.colour)))];
    return {
      ...this.size(),
      padding: [null, 28, null, null], // for the half of the last label
      scales: { x: { time: x.time }, y: { range: range ?? ((_, low, high) => rounded(low, high)) } },
      axes: [{ ...axis, values: (_, values) => values.map((value) => x.format(value)), space: 84, size: 32 }, { ...axis, values: (_, values) => values.map((value) => format(value)), size: 62 }],
      cursor: { points: { size: 8 }, drag: { setScale: false, x: false, y: false } },
      legend: { show: false },
      hooks: { setCursor: [(plot) => this.name(plot.cursor.idx ?? null)] },
      series: lines,
      bands,
    };
  }
}

function sample({ colour, dash = [], width = 2 }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  for (const [name, value] of Object.entries({ viewBox: "0 0 34 6", width: 34, height: 6, "aria-hidden": "true" })) svg.setAttribute(name, value);
  for (const [name, value] of Object.entries({ x1: 0, y1: 3, x2: 34, y2: 3, "stroke-width": width, "stroke-dasharray": dash.join(" ") })) line.setAttribute(name, value);
  line.style.setProperty("stroke", `var(${colour})`);
  svg.append(line);
  return svg;
}

const rounded = (low, high) => {
  if (low === null || high === null) return [0, 1];
  const pad = Math.max((high - low) * 0.12, 0.02);
  return [low - pad, high + pad];
};

// What is drawn later lies on top: first all intervals, then the lines, that of the first series last.
const layered = (series) => [...series].reverse();
const columns = ({ x, series }) => [x.values, ...series.filter((each) => each.low).flatMap((each) => [each.high, each.low]), ...layered(series).map((each) => each.values)];

// A plain link cannot carry a key.
async function withKey(event, address) {
  if (!needsKey()) return;
  event.preventDefault();
  const text = JSON.stringify(await get(address), null, 2);
  location.assign(URL.createObjectURL(new Blob([text], { type: "application/json" })));
}

// Where nothing happened for long, a line must not run through: a row of nulls stands there.
export function withGaps(steps) {
  const found = [];
  const long = steps.length ? (steps.at(-1).end - steps[0].begin) / 12 : 0;
  for (const step of steps) {
    const last = found.at(-1);
    if (last && step.begin - last.end > long) found.push({ x: (last.end + step.begin) / 2 });
    found.push(step);
  }
  return found;
}
