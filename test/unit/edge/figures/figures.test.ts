import { expect, test } from "vitest";
import { figuresOf } from "../../../../src/edge/figures/figures.ts";
import { Histogram } from "../../../../src/telemetry/histogram.ts";
import type { MetricFamily } from "../../../../src/telemetry/metric-text.ts";

const census = { model: "census", version: "1" };

function histogram(...valuesMs: number[]): Histogram {
  const all = new Histogram();
  for (const value of valuesMs) all.observe(value);
  return all;
}

function numbers(name: string, ...samples: [Record<string, string>, number][]): MetricFamily {
  return { name, type: "counter", help: "", samples };
}

function durations(name: string, ...samples: [Record<string, string>, Histogram][]): MetricFamily {
  return { name, type: "histogram", help: "", scale: 1e-3, samples };
}

test("counts of a version become its figures, durations in seconds", () => {
  const { models, durationBounds } = figuresOf([
    numbers("nv_inference_request_success", [census, 3], [{ model: "iris", version: "2" }, 1]),
    numbers("nv_inference_count", [census, 12]),
    numbers("nv_inference_queue_duration_us", [census, 1_500_000]),
    numbers("assay_request_failures_total", [{ ...census, reason: "QUEUE_FULL" }, 2]),
    numbers("assay_batches_total", [{ ...census, end: "idle" }, 4], [{ ...census, end: "full" }, 1]),
    durations("assay_request_duration_seconds", [census, histogram(0.2, 40)]),
  ]);
  expect(models).toMatchObject([
    {
      modelName: "census",
      modelVersion: "1",
      answered: 3n,
      rows: 12n,
      failures: { QUEUE_FULL: 2n },
      batchEnds: { idle: 4n, full: 1n },
      stages: { queue: 1.5, run: 0 },
    },
    { modelName: "iris", modelVersion: "2", answered: 1n },
  ]);
  const told = models![0]!.durations!;
  expect(told.sum).toBeCloseTo(0.0402);
  expect(told.counts).toHaveLength(durationBounds!.length + 1);
  expect(durationBounds!.slice(0, 3)).toEqual([0.0001, 0.00025, 0.0005]);
});

test("calls are told by protocol, those that failed by reason, and by code or status where they have none", () => {
  const rpc = (status: string, error_type?: string): Record<string, string> => ({
    rpc_system_name: "grpc",
    rpc_method: "assay.v1.ScoringService/Predict",
    rpc_response_status_code: status,
    ...(error_type === undefined ? {} : { error_type }),
  });
  const { protocols } = figuresOf([
    durations(
      "rpc_server_call_duration_seconds",
      [rpc("OK"), histogram(1, 2)],
      [rpc("INVALID_ARGUMENT", "INVALID_REQUEST"), histogram(1)],
      [rpc("INTERNAL"), histogram(1)],
    ),
    durations(
      "http_server_request_duration_seconds",
      [{ http_route: "/predict", http_response_status_code: "200" }, histogram(1)],
      [{ http_route: "/predict", http_response_status_code: "415" }, histogram(1)],
    ),
  ]);
  expect(protocols).toMatchObject([
    { protocol: "grpc", succeeded: 2n, failures: { INVALID_REQUEST: 1n, INTERNAL: 1n } },
    { protocol: "http", succeeded: 1n, failures: { "HTTP 415": 1n } },
  ]);
});

test("a server that has counted nothing has no figures of models", () => {
  expect(figuresOf([])).toMatchObject({ models: [], protocols: [], durationBounds: [] });
});
