// Draws each `figure.chart` from its table: the table is the truth, and stays for those who do not see the drawing.
// kind: line, area (stacked), bars (stacked). Drag to zoom all charts of the page, double-click for all of it.

/** @typedef {{names: string[], xs: number[], rows: (number | null)[][], hrefs: string[]}} Table */
/** @typedef {{table: Table, plot: any, shape: string}} Chart */

/** @type {Map<HTMLElement, Chart>} */
const charts = new Map();
const COLOURS = 8;
const HEIGHT = 178;
/** Milliseconds in which a second click makes a double one of the first. */
const TWICE = 250;

/** @param {HTMLElement} figure @returns {Table} */
function read(figure) {
  const rows = [...figure.querySelectorAll("details tbody tr")];
  const cells = rows.map((row) => [...row.children].map((cell) => /** @type {HTMLElement} */ (cell).dataset.value ?? ""));
  const names = [...figure.querySelectorAll("details thead th")].map((cell) => cell.textContent?.trim() ?? "");
  return {
    names: names.slice(1),
    xs: cells.map((row) => Number(row[0])),
    rows: names.slice(1).map((_, n) => cells.map((row) => (row[n + 1] === "" || row[n + 1] === undefined ? null : Number(row[n + 1])))),
    hrefs: rows.map((row) => row.querySelector("th a")?.getAttribute("href") ?? ""),
  };
}

/** What a colour of the look is now, as a canvas knows it. @param {string} value */
function colour(value) {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = value.startsWith("--") ? `var(${value})` : value;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** @param {number} value */
const short = (value) => {
  const step = [[1e9, " G"], [1e6, " M"], [1e3, " k"]].find(([least]) => Math.abs(value) >= Number(least) * 10);
  return step ? `${Number((value / Number(step[0])).toPrecision(3))}${step[1]}` : value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 1 });
};

/** Writes a value with its unit. @param {number | null | undefined} value @param {string} unit */
function write(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "ms") return value >= 1000 ? write(value / 1000, "s") : `${short(value)} ms`;
  if (unit === "s") return value >= 7200 ? `${short(value / 3600)} h` : value >= 120 ? `${short(value / 60)} min` : value > 0 && value < 1 ? `${short(value * 1000)} ms` : `${short(value)} s`;
  if (unit === "%") return `${short(value)} %`;
  if (unit !== "bytes") return short(value);
  const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, value)) / 10)));
  return `${short(value / 1024 ** power)} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
}

/** Leaves room for the first bar and the last one. @param {number[]} xs @param {number} room @param {number} low @param {number} high */
const padded = (xs, room, low, high) => [low <= xs[0] ? xs[0] - room : low, high >= xs[xs.length - 1] ? xs[xs.length - 1] + room : high];

/** What goes well, what waits and what is wrong has its colour on every chart; others take those that are left. @type {[RegExp, number][]} */
const MEANT = [[/delivered|succe/i, 1], [/retr|hop|wait|lag/i, 2], [/dead|fail|reject|refus|lost|gave/i, 4]];

/** @param {string[]} names @returns {number[]} */
function inks(names) {
  /** @type {Set<number>} */
  const taken = new Set();
  const meant = names.map((name) => {
    const ink = MEANT.find(([words, number]) => words.test(name) && !taken.has(number))?.[1];
    if (ink) taken.add(ink);
    return ink;
  });
  const left = Array.from({ length: COLOURS }, (_, n) => n + 1).filter((ink) => !taken.has(ink));
  let next = 0;
  return meant.map((ink) => ink ?? left[next++ % left.length]);
}

/** Seconds that a chart shows at least: what has just begun is at its right end. */
const LEAST = 300;
const WHOLE = Array.from({ length: 10 }, (_, n) => [1, 2, 5].map((each) => each * 10 ** n)).flat();
const RATES = [0.1, 0.2, 0.5, ...WHOLE];
const POWERS = Array.from({ length: 50 }, (_, n) => 2 ** n);
const WRITTEN = ["ms", "s", "bytes", "%"];

/** Adds up what is stacked, the first at the bottom; the highest is drawn first. @param {Table} table @param {boolean[]} shown */
function stack(table, shown) {
  const sums = table.xs.map(() => 0);
  const stacked = table.rows.map((row, n) => row.map((value, at) => {
    if (!shown[n]) return null;
    sums[at] += value ?? 0;
    return table.rows.every((each) => each[at] === null) ? null : sums[at];
  }));
  return [table.xs, ...stacked.reverse()];
}

/** @param {HTMLElement} figure @param {Table} table */
function options(figure, table) {
  const { kind = "line", unit = "" } = figure.dataset;
  const isStacked = kind !== "line";
  const order = table.rows.map((_, n) => (isStacked ? table.rows.length - 1 - n : n));
  const colours = inks(table.names);
  const quiet = colour("--quiet");
  const line = colour("--line");
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const paths = kind === "bars" ? window.uPlot.paths.bars({ size: [0.85, 48], gap: 1 }) : undefined;
  const isLocal = localStorage.getItem("headrace.zone") === "local";
  const step = table.xs.length > 1 ? table.xs[1] - table.xs[0] : 60;
  const latest = (/** @type {number} */ n) => table.rows[n].findLast((value) => value !== null);
  return {
    width: 300,
    height: HEIGHT,
    tzDate: (/** @type {number} */ at) => (isLocal ? new Date(at * 1000) : window.uPlot.tzDate(new Date(at * 1000), "Etc/UTC")),
    fmtDate: (/** @type {string} */ names) => window.uPlot.fmtDate(names),
    cursor: { sync: { key: "page", scales: ["x", null] }, points: { size: 6 }, y: false },
    legend: { live: true, markers: { width: 0, fill: (/** @type {any} */ u, /** @type {number} */ n) => u.series[n].stroke(u, n) } },
    scales: {
      x: { range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => (kind === "bars" ? padded(table.xs, step / 2, low, high) : table.xs.length === 1 ? [table.xs[0] - LEAST, table.xs[0]] : [Math.min(low, high - LEAST), high]) },
      y: { range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ high) => [0, high > 0 ? high * 1.08 : 1] },
    },
    axes: [
      { stroke: quiet, font, grid: { show: false }, ticks: { stroke: line, width: 1, size: 4 }, values: TIMES, space: 64, size: 40 },
      {
        stroke: quiet, font, grid: { stroke: line, width: 1 }, ticks: { show: false }, space: 26, gap: 6,
        incrs: unit === "bytes" ? POWERS : WRITTEN.includes(unit) ? undefined : unit === "/min" ? RATES : WHOLE,
        values: (/** @type {any} */ _, /** @type {number[]} */ values) => values.map((value) => write(value, unit)),
        size: (/** @type {any} */ _, /** @type {string[]} */ values) => 14 + 6.4 * Math.max(3, ...(values ?? []).map((each) => each.length)),
        label: WRITTEN.includes(unit) || !unit ? undefined : unit, labelFont: font, labelSize: 16, labelGap: 0,
      },
    ],
    series: [
      { label: isLocal ? "Time" : "UTC", value: (/** @type {any} */ _, /** @type {number | null} */ at) => (at === null || at === undefined ? "latest" : moment(at, isLocal)) },
      ...order.map((n) => {
        const token = `--series-${colours[n]}`;
        const ink = colour(token);
        return {
          label: table.names[n], stroke: ink, width: kind === "bars" ? 0 : 1.75, paths, points: { show: kind === "line" && table.xs.length < 3 },
          fill: isStacked ? colour(`color-mix(in srgb, var(${token}) ${kind === "bars" ? 88 : 70}%, var(--surface))`) : undefined, spanGaps: false,
          value: (/** @type {any} */ _, /** @type {any} */ __, /** @type {number} */ ___, /** @type {number | null} */ at) => write(at === null || at === undefined ? latest(n) : table.rows[n][at], unit),
        };
      }),
    ],
  };
}

const TIMES = [
  [86400, "{MM}-{DD}", null, null, null, null, null, null, 1],
  [3600, "{HH}:{mm}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [60, "{HH}:{mm}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
];

/** @param {number} at @param {boolean} isLocal */
const moment = (at, isLocal) => new Date(at * 1000).toLocaleString("sv-SE", { timeZone: isLocal ? undefined : "UTC" }).slice(5);

/** @param {HTMLElement} figure */
function draw(figure) {
  const plot = /** @type {HTMLElement | null} */ (figure.querySelector(".plot"));
  if (!plot || !window.uPlot) return;
  const table = read(figure);
  const shape = JSON.stringify([table.names, figure.dataset.kind, figure.dataset.unit]);
  const known = charts.get(figure);
  plot.classList.toggle("linked", table.hrefs.some(Boolean));
  if (known?.plot && known.shape === shape && table.xs.length) {
    renew(figure, known, table);
    return;
  }
  known?.plot?.destroy();
  charts.delete(figure);
  plot.replaceChildren();
  plot.classList.add("drawn");
  if (!table.rows.some((row) => row.some((value) => value !== null))) {
    const nothing = plot.appendChild(document.createElement("p"));
    nothing.className = "nothing";
    nothing.textContent = "Nothing in this time";
    return;
  }
  const chart = { table, shape, plot: /** @type {any} */ (null) };
  const made = new window.uPlot({ ...options(figure, table), width: plot.clientWidth || 300, hooks: { setSeries: [(/** @type {any} */ u, /** @type {any} */ _, /** @type {any} */ change) => { if (change.show !== undefined && chart.plot) u.setData(values(figure, chart)); }] } }, values(figure, chart), plot);
  chart.plot = made;
  follow(made.over, () => chart.table.hrefs[made.cursor.idx ?? -1]);
  charts.set(figure, chart);
}

/** A click goes where *href* says; a double one is for the zoom, and uPlot tells of none at the end of a drag. @param {HTMLElement} over @param {() => string | undefined} href */
function follow(over, href) {
  let leaving = 0;
  over.addEventListener("click", () => {
    const target = href();
    clearTimeout(leaving);
    if (target) leaving = setTimeout(() => { location.href = target; }, TWICE);
  });
  over.addEventListener("dblclick", () => clearTimeout(leaving));
}

/** Gives a drawing new values, and leaves its zoom. @param {HTMLElement} figure @param {Chart} chart @param {Table} table */
function renew(figure, chart, table) {
  const { min, max } = chart.plot.scales.x;
  const xs = chart.table.xs;
  const isZoomed = min > xs[0] || max < xs[xs.length - 1];
  Object.assign(chart.table, table);
  chart.plot.setData(values(figure, chart), !isZoomed);
  if (isZoomed) chart.plot.setScale("x", { min, max });
}

/** @param {HTMLElement} figure @param {Chart} chart */
function values(figure, chart) {
  if ((figure.dataset.kind ?? "line") === "line") return [chart.table.xs, ...chart.table.rows];
  const last = chart.table.rows.length;
  return stack(chart.table, chart.table.rows.map((_, n) => chart.plot?.series[last - n].show ?? true));
}

function drawAll() {
  for (const [figure, chart] of charts) {
    if (figure.isConnected) continue;
    chart.plot.destroy();
    charts.delete(figure);
  }
  for (const figure of document.querySelectorAll("figure.chart")) {
    draw(/** @type {HTMLElement} */ (figure));
    sizes.observe(/** @type {Element} */ (figure.querySelector(".plot")));
  }
}

function redrawAll() {
  for (const chart of charts.values()) chart.plot.destroy();
  charts.clear();
  drawAll();
}

const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const chart = charts.get(/** @type {HTMLElement} */ (target.closest("figure")));
    if (chart && contentRect.width > 40 && chart.plot.width !== Math.floor(contentRect.width)) chart.plot.setSize({ width: Math.floor(contentRect.width), height: HEIGHT });
  }
});

drawAll();
document.addEventListener("headrace:fresh", drawAll);
document.addEventListener("headrace:look", redrawAll);
document.addEventListener("headrace:zone", redrawAll);
