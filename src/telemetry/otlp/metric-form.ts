/** What `/metrics` tells, under the same names and with the same values, in the form that OpenTelemetry's exporters take. Pure. */
import type { HrTime, ValueType } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type {
  AggregationTemporality,
  DataPoint,
  DataPointType,
  MetricData,
  ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import type { Histogram } from "../histogram.ts";
import type { HistogramFamily, Labels, MetricFamily, NumberFamily } from "../metric-text.ts";
import { SCOPE } from "./sent-span.ts";

/** Numbers of OpenTelemetry's enums, whose packages are loaded only where something is sent. */
const CUMULATIVE = 1 as AggregationTemporality.CUMULATIVE;
const HISTOGRAM = 0 as DataPointType.HISTOGRAM;
const GAUGE = 2 as DataPointType.GAUGE;
const SUM = 3 as DataPointType.SUM;
const DOUBLE = 1 as ValueType.DOUBLE;

/** Units by the end of a name, in UCUM's writing. */
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/_seconds(_total)?$/, "s"],
  [/_bytes(_total)?$/, "By"],
  [/_us$/, "us"],
];

/** The span of time that counters and histograms cover. */
export interface CoveredTime {
  readonly from: HrTime;
  readonly until: HrTime;
}

/** Families as metrics of OpenTelemetry's; those without samples are left out. */
export function resourceMetrics(
  families: readonly MetricFamily[],
  resource: Resource,
  time: CoveredTime,
): ResourceMetrics {
  const told = families.filter(({ samples }) => samples.length > 0);
  const metrics = told.map((family) =>
    family.type === "histogram" ? histogramMetric(family, time) : numberMetric(family, time),
  );
  return { resource, scopeMetrics: [{ scope: SCOPE, metrics }] };
}

function numberMetric(family: NumberFamily, time: CoveredTime): MetricData {
  const dataPoints = family.samples.map(([labels, value]) => point(labels, value, time));
  const base = { descriptor: descriptorOf(family), aggregationTemporality: CUMULATIVE, dataPoints };
  return family.type === "gauge"
    ? { ...base, dataPointType: GAUGE }
    : { ...base, dataPointType: SUM, isMonotonic: true };
}

function histogramMetric(family: HistogramFamily, time: CoveredTime): MetricData {
  const dataPoints = family.samples.map(([labels, histogram]) =>
    point(labels, scaled(histogram, family.scale), time),
  );
  return {
    descriptor: descriptorOf(family),
    aggregationTemporality: CUMULATIVE,
    dataPointType: HISTOGRAM,
    dataPoints,
  };
}

function scaled({ bounds, counts, sum, count }: Histogram, scale: number) {
  const boundaries = bounds.map((bound) => Number((bound * scale).toPrecision(12)));
  return { buckets: { boundaries, counts: [...counts] }, sum: sum * scale, count };
}

function descriptorOf({ name, help }: MetricFamily): MetricData["descriptor"] {
  const unit = UNITS.find(([ending]) => ending.test(name))?.[1] ?? "";
  return { name, description: help, unit, valueType: DOUBLE };
}

function point<T>(attributes: Labels, value: T, { from, until }: CoveredTime): DataPoint<T> {
  return { startTime: from, endTime: until, attributes: { ...attributes }, value };
}
