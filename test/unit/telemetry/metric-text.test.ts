import { expect, test } from "vitest";
import { Histogram } from "../../../src/telemetry/histogram.ts";
import {
  type MetricFamily,
  metricText,
  OPEN_METRICS_TYPE,
  PROMETHEUS_TYPE,
} from "../../../src/telemetry/metric-text.ts";

const durations = new Histogram([1, 250]);
for (const ms of [0.5, 2, 1000]) durations.observe(ms);
const FAMILIES: MetricFamily[] = [
  { name: "calls_total", type: "counter", help: 'Says "calls".', samples: [[{ model: 'a"b\\c\nd' }, 3]] },
  { name: "nv_calls", type: "counter", help: "Old.", samples: [[{}, 1]] },
  { name: "depth", type: "gauge", help: "Now.", samples: [[{}, Number.POSITIVE_INFINITY]] },
  { name: "nothing", type: "gauge", help: "Never.", samples: [] },
  {
    name: "took_seconds",
    type: "histogram",
    help: "Took.",
    scale: 1e-3,
    samples: [[{ model: "m" }, durations]],
  },
];

test("families are written as Prometheus reads them, with ranges added up and labels escaped", () => {
  expect(metricText(FAMILIES, PROMETHEUS_TYPE)).toBe(
    [
      '# HELP calls_total Says "calls".',
      "# TYPE calls_total counter",
      'calls_total{model="a\\"b\\\\c\\nd"} 3',
      "# HELP nv_calls Old.",
      "# TYPE nv_calls counter",
      "nv_calls 1",
      "# HELP depth Now.",
      "# TYPE depth gauge",
      "depth +Inf",
      "# HELP took_seconds Took.",
      "# TYPE took_seconds histogram",
      'took_seconds_bucket{model="m",le="0.001"} 1',
      'took_seconds_bucket{model="m",le="0.25"} 2',
      'took_seconds_bucket{model="m",le="+Inf"} 3',
      'took_seconds_sum{model="m"} 1.0025',
      'took_seconds_count{model="m"} 3',
      "",
    ].join("\n"),
  );
});

test("OpenMetrics names a counter without its ending, calls one without an ending unknown, and ends with a mark", () => {
  const lines = metricText(FAMILIES, OPEN_METRICS_TYPE).split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      '# HELP calls Says \\"calls\\".',
      "# TYPE calls counter",
      'calls_total{model="a\\"b\\\\c\\nd"} 3',
      "# TYPE nv_calls unknown",
    ]),
  );
  expect(lines.slice(-2)).toEqual(["# EOF", ""]);
});

test("a range's exemplar stands behind its count in OpenMetrics, and in no other text", () => {
  const traced = new Histogram([1, 250]);
  for (const ms of [2, 1000]) traced.observe(ms);
  traced.exemplify(2, "a".repeat(32), "b".repeat(16));
  traced.exemplify(1000, "c".repeat(32), "d".repeat(16));
  const families: MetricFamily[] = [
    { name: "took_seconds", type: "histogram", help: "Took.", scale: 1e-3, samples: [[{}, traced]] },
  ];
  const open = metricText(families, OPEN_METRICS_TYPE).replaceAll(/ \d{9,}(\.\d+)?$/gm, " NOW");
  expect(open).toContain(
    `took_seconds_bucket{le="0.25"} 1 # {trace_id="${"a".repeat(32)}",span_id="${"b".repeat(16)}"} 0.002 NOW\n`,
  );
  expect(open).toContain(
    `took_seconds_bucket{le="+Inf"} 2 # {trace_id="${"c".repeat(32)}",span_id="${"d".repeat(16)}"} 1 NOW\n`,
  );
  expect(open.match(/ # /g)).toHaveLength(2);
  expect(metricText(families, PROMETHEUS_TYPE)).not.toContain("trace_id");
});
