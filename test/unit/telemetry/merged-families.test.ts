import { expect, test } from "vitest";
import { Histogram } from "../../../src/telemetry/histogram.ts";
import { mergedFamilies } from "../../../src/telemetry/merged-families.ts";
import type { MetricFamily } from "../../../src/telemetry/metric-text.ts";

const numbers = (name: string, type: "counter" | "gauge", values: Record<string, number>): MetricFamily => ({
  name,
  type,
  help: "",
  samples: Object.entries(values).map(([model, value]) => [{ model }, value]),
});

function histogram(...values: number[]): MetricFamily {
  const one = new Histogram([1, 10]);
  for (const value of values) one.observe(value);
  return { name: "h_seconds", type: "histogram", help: "", scale: 1, samples: [[{}, structuredClone(one)]] };
}

test("counters and histograms of several edges are added up by their labels, and what one alone has counted is told too", () => {
  const merged = mergedFamilies(
    [numbers("c_total", "counter", { a: 1, b: 2 }), histogram(0.5, 20)],
    [
      [numbers("c_total", "counter", { b: 3, c: 4 }), histogram(5)],
      [numbers("d_total", "counter", { a: 7 })],
    ],
  );
  expect(merged).toMatchObject([
    {
      name: "c_total",
      samples: [
        [{ model: "a" }, 1],
        [{ model: "b" }, 5],
        [{ model: "c" }, 4],
      ],
    },
    { name: "h_seconds", samples: [[{}, { counts: [1, 1, 1], sum: 25.5, count: 3 }]] },
    { name: "d_total", samples: [[{ model: "a" }, 7]] },
  ]);
});

test("what each edge holds a part of is added up, and what is the server's is told once, as the first edge knows it", () => {
  const families = (value: number) => [
    numbers("assay_queue_rows", "gauge", { a: value }),
    numbers("assay_connections_limit", "gauge", { a: value }),
  ];
  expect(mergedFamilies(families(5), [families(2)])).toMatchObject([
    { samples: [[{ model: "a" }, 7]] },
    { samples: [[{ model: "a" }, 5]] },
  ]);
});

test("of several edges' exemplars the last of each range is kept", () => {
  const withExemplar = (value: number, traceId: string, timeMs: number): MetricFamily => {
    const one = new Histogram([1, 10]);
    one.observe(value);
    one.exemplify(value, traceId, "s");
    const exemplars = one.exemplars!.map((each) => (each === undefined ? undefined : { ...each, timeMs }));
    const sent = Object.assign(structuredClone(one), { exemplars });
    return { name: "h_seconds", type: "histogram", help: "", scale: 1, samples: [[{}, sent]] };
  };
  const merged = mergedFamilies(
    [withExemplar(5, "first", 10)],
    [[withExemplar(5, "last", 30), withExemplar(0.5, "other", 20)], [histogram(5)]],
  );
  const [, sum] = merged[0]!.samples[0] as [object, Histogram];
  expect(sum.exemplars!.map((each) => each?.traceId)).toEqual(["other", "last", undefined]);
});
