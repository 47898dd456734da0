/** Metrics as Prometheus and OpenMetrics write them. Pure: what is counted comes in, a text goes out. */
import type { Exemplar, Histogram } from "./histogram.ts";

/** Names and values of a sample's labels. */
export type Labels = Readonly<Record<string, string>>;

interface FamilyHead {
  readonly name: string;
  readonly help: string;
}

/** One number by labels. A counter's name ends in `_total`, unless others had given it its name before there was such a rule. */
export interface NumberFamily extends FamilyHead {
  readonly type: "counter" | "gauge";
  readonly samples: readonly (readonly [labels: Labels, value: number])[];
}

/** Histograms by labels; `scale` makes the name's unit of theirs. */
export interface HistogramFamily extends FamilyHead {
  readonly type: "histogram";
  readonly scale: number;
  readonly samples: readonly (readonly [labels: Labels, histogram: Histogram])[];
}

/** What is told under one name. */
export type MetricFamily = NumberFamily | HistogramFamily;

/** The formats, by their content types. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
export const OPEN_METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const TOTAL = "_total";

/** Writes families as one text; those without samples are left out. */
export function metricText(families: readonly MetricFamily[], contentType: string): string {
  const isOpen = contentType === OPEN_METRICS_TYPE;
  const lines: string[] = [];
  for (const family of families) {
    if (family.samples.length === 0) continue;
    const { name, type } = headOf(family, isOpen);
    lines.push(`# HELP ${name} ${escapedHelp(family.help, isOpen)}`, `# TYPE ${name} ${type}`);
    if (family.type === "histogram") {
      for (const [labels, histogram] of family.samples)
        writeHistogram(lines, family, labels, histogram, isOpen);
    } else {
      for (const [labels, value] of family.samples)
        lines.push(`${family.name}${labelText(labels)} ${number(value)}`);
    }
  }
  if (isOpen) lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

/** OpenMetrics names a counter without its ending, and has no counters without one. */
function headOf({ name, type }: MetricFamily, isOpen: boolean): { name: string; type: string } {
  if (!isOpen || type !== "counter") return { name, type };
  return name.endsWith(TOTAL) ? { name: name.slice(0, -TOTAL.length), type } : { name, type: "unknown" };
}

function writeHistogram(
  lines: string[],
  { name, scale }: HistogramFamily,
  labels: Labels,
  { bounds, counts, sum, count, exemplars }: Histogram,
  isOpen: boolean,
): void {
  let below = 0;
  const example = (at: number): string => exemplarText(isOpen ? exemplars?.[at] : undefined, scale);
  for (let i = 0; i < bounds.length; i++) {
    below += counts[i]!;
    lines.push(
      `${name}_bucket${labelText({ ...labels, le: bound(bounds[i]! * scale) })} ${below}${example(i)}`,
    );
  }
  lines.push(`${name}_bucket${labelText({ ...labels, le: "+Inf" })} ${count}${example(bounds.length)}`);
  lines.push(
    `${name}_sum${labelText(labels)} ${number(sum * scale)}`,
    `${name}_count${labelText(labels)} ${count}`,
  );
}

/** Only OpenMetrics has them. */
function exemplarText(exemplar: Exemplar | undefined, scale: number): string {
  if (exemplar === undefined) return "";
  const { value, traceId, spanId, timeMs } = exemplar;
  return ` # {trace_id="${traceId}",span_id="${spanId}"} ${number(value * scale)} ${timeMs / 1000}`;
}

/** Without the digits that a division leaves, so that a bound is the same text for ever; OpenMetrics wants a point in it. */
function bound(value: number): string {
  const text = String(Number(value.toPrecision(12)));
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function labelText(labels: Labels): string {
  const names = Object.keys(labels);
  if (names.length === 0) return "";
  return `{${names.map((name) => `${name}="${escapedLabel(labels[name]!)}"`).join(",")}}`;
}

function escapedLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** OpenMetrics escapes quotes too. */
function escapedHelp(text: string, isOpen: boolean): string {
  return isOpen ? escapedLabel(text) : text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
