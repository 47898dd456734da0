/** Charts of the last minutes, drawn by uPlot in the page's own colours. */
import uPlot from "uplot";
import { h, setText } from "../dom.ts";
import { drawnSeconds, type Sample, STAGES } from "./series.ts";

interface Line {
  readonly name: string;
  /** A number of the palette in page.css. */
  readonly color: number;
  value(sample: Sample): number | undefined;
}

interface ChartPlan {
  readonly title: string;
  /** What stands behind numbers. */
  readonly unit: string;
  /** There are no parts of what is counted. */
  readonly isWhole?: boolean;
  lines(samples: readonly Sample[]): Line[];
}

const PLANS: readonly ChartPlan[] = [
  {
    title: "Requests a second",
    unit: "/s",
    lines: () => [
      { name: "answered", color: 1, value: ({ answeredRate }) => answeredRate },
      { name: "failed", color: 2, value: ({ failedRate }) => failedRate },
    ],
  },
  {
    title: "Rows a second",
    unit: "/s",
    lines: () => [{ name: "rows", color: 1, value: ({ rowRate }) => rowRate }],
  },
  {
    title: "Latency",
    unit: " ms",
    lines: () => [
      { name: "p50", color: 1, value: ({ medianMs }) => medianMs },
      { name: "p99", color: 2, value: ({ highMs }) => highMs },
    ],
  },
  {
    title: "Where a request's time goes",
    unit: " ms",
    lines: () =>
      STAGES.map((stage, index) => ({
        name: stage,
        color: index + 1,
        value: ({ stageMs }: Sample) => stageMs[stage],
      })),
  },
  {
    title: "Rows a batch",
    unit: "",
    isWhole: true,
    lines: () => [{ name: "rows", color: 1, value: ({ batchRows }) => batchRows }],
  },
  {
    title: "Why batches closed",
    unit: "/s",
    lines: (samples) =>
      namesOf(samples, ({ endRates }) => endRates).map((name, index) => ({
        name,
        color: index + 1,
        value: ({ endRates }: Sample) => endRates[name] ?? 0,
      })),
  },
  {
    title: "Queue",
    unit: " rows",
    isWhole: true,
    lines: () => [
      { name: "waiting", color: 1, value: ({ queuedRows }) => queuedRows },
      { name: "running", color: 3, value: ({ runningRows }) => runningRows },
    ],
  },
  {
    title: "Errors by reason",
    unit: "/s",
    lines: (samples) =>
      namesOf(samples, ({ failureRates }) => failureRates).map((name, index) => ({
        name,
        color: index + 1,
        value: ({ failureRates }: Sample) => failureRates[name] ?? 0,
      })),
  },
];

const HEIGHT = 150;
/** Between the lines of axes whose values are whole: 1, 2, 5, 10, … */
const WHOLE_STEPS = Array.from(
  { length: 30 },
  (_, step) => [1, 2, 5][step % 3]! * 10 ** Math.floor(step / 3),
);
const COLORS = 8;

function namesOf(
  samples: readonly Sample[],
  of: (sample: Sample) => Readonly<Record<string, number>>,
): string[] {
  const names = new Set<string>();
  for (const sample of samples)
    for (const [name, rate] of Object.entries(of(sample))) if (rate > 0) names.add(name);
  return [...names].sort().slice(0, COLORS);
}

/** All charts of a model or of the server. */
export interface Charts {
  readonly element: HTMLElement;
  draw(samples: readonly Sample[]): void;
  /** Ends what watches the window. */
  close(): void;
}

/** Makes the charts, empty. */
export function createCharts(): Charts {
  const charts = PLANS.map((plan) => new Chart(plan));
  const element = h("div", { class: "charts" }, ...charts.map(({ element }) => element));
  let latest: readonly Sample[] = [];
  const redraw = () => {
    for (const chart of charts) chart.draw(latest, true);
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", redraw);
  const sizes = new ResizeObserver(redraw);
  sizes.observe(element);
  return {
    element,
    draw(samples) {
      latest = samples;
      for (const chart of charts) chart.draw(samples, false);
    },
    close() {
      dark.removeEventListener("change", redraw);
      sizes.disconnect();
    },
  };
}

class Chart {
  readonly element: HTMLElement;
  private readonly plan: ChartPlan;
  private readonly place = h("div", { class: "plot", "aria-hidden": "true" });
  private readonly legend = h("ul", { class: "legend" });
  private plot: uPlot | undefined = undefined;
  private shown = "";

  constructor(plan: ChartPlan) {
    this.plan = plan;
    this.element = h("section", { class: "chart" }, h("h3", {}, plan.title), this.place, this.legend);
  }

  draw(samples: readonly Sample[], isAnew: boolean): void {
    const lines = this.plan.lines(samples);
    const names = lines.map(({ name }) => name).join();
    const width = this.place.clientWidth;
    if (width === 0) return;
    const data = [
      samples.map(({ at }) => at),
      ...lines.map((line) => samples.map((sample) => known(line.value(sample)))),
    ] as uPlot.AlignedData;
    if (this.plot === undefined || isAnew || names !== this.shown) {
      this.plot?.destroy();
      this.plot = new uPlot(optionsOf(this.plan, lines, width), data, this.place);
      this.shown = names;
      this.legend.replaceChildren(...lines.map(({ name, color }) => legendItem(name, color)));
    } else this.plot.setData(data);
    this.tell(lines, samples.at(-1));
  }

  /** Says in words what the line's end shows. */
  private tell(lines: readonly Line[], sample: Sample | undefined): void {
    for (const [index, line] of lines.entries()) {
      const value = sample === undefined ? Number.NaN : (line.value(sample) ?? 0);
      const text = Number.isNaN(value) ? "–" : `${compact(value)}${this.plan.unit}`;
      setText(this.legend.children[index]!.lastElementChild!, text);
    }
    if (lines.length === 0) this.legend.replaceChildren(h("li", {}, "none"));
  }
}

function legendItem(name: string, color: number): HTMLElement {
  return h("li", {}, h("span", { class: `swatch color-${color}` }), h("span", {}, name), h("b", {}));
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

function optionsOf({ unit, isWhole }: ChartPlan, lines: readonly Line[], width: number): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color("--muted"),
    grid: { stroke: color("--grid"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui",
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: {
      // Of a single moment uPlot would make a day.
      x: { range: ({ data: [times] }) => drawnSeconds(times, Date.now() / 1000) },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 1] },
    },
    axes: [
      { ...axis, size: 24, space: 70, values: (_plot, values) => values.map(clock) },
      {
        ...axis,
        size: 52,
        ...(isWhole === true ? { incrs: WHOLE_STEPS } : {}),
        values: (_plot, values) => values.map((value) => `${compact(value)}${unit === " rows" ? "" : unit}`),
      },
    ],
    series: [
      {},
      ...lines.map(({ name, color: number }) => ({
        label: name,
        stroke: color(`--color-${number}`),
        width: 1.5,
        spanGaps: false,
        points: { size: 4, fill: color(`--color-${number}`) },
      })),
    ],
  };
}

/** A time of the day. */
function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}

/** A number in few signs: 1.2 k, 3.4 M. */
export function compact(value: number): string {
  const steps: readonly (readonly [number, string])[] = [
    [1e9, " G"],
    [1e6, " M"],
    [1e3, " k"],
  ];
  for (const [size, sign] of steps)
    if (value >= size) return `${Number((value / size).toPrecision(3))}${sign}`;
  return String(Number(value.toPrecision(3)));
}
