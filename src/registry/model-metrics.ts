/** What versions of models have done, and hold now, as metrics: under Triton's names, which dashboards have, and under Assay's own. */
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { ModelState, type ModelSummary } from "../../gen/assay/v1/model_service_pb.ts";
import { reasonName } from "../errors.ts";
import type { Histogram } from "../telemetry/histogram.ts";
import type { Labels, MetricFamily } from "../telemetry/metric-text.ts";
import { featureFamilies } from "./features/feature-metrics.ts";
import type { ModelCounters } from "./model-counters.ts";
import type { CountedModel } from "./models.ts";

const US_A_MS = 1000;

/** Triton's words for why requests failed. */
type Failure = "REJECTED" | "CANCELED" | "BACKEND" | "OTHER";
const REJECTED: ReadonlySet<Reason> = new Set([
  Reason.QUEUE_FULL,
  Reason.MEMORY_FULL,
  Reason.LIMIT_REACHED,
  Reason.SHUTTING_DOWN,
  Reason.MODEL_NOT_READY,
  Reason.DEADLINE_EXCEEDED,
  Reason.REQUEST_TOO_LARGE,
]);
const OF_THE_BACKEND: ReadonlySet<Reason> = new Set([
  Reason.RUN_FAILED,
  Reason.RUN_TIMEOUT,
  Reason.INSTANCE_LOST,
  Reason.OUTPUT_TOO_LARGE,
]);

/** Everything about the versions that are loaded, and the state of all that were found. */
export function modelFamilies(
  models: readonly CountedModel[],
  found: readonly ModelSummary[],
): MetricFamily[] {
  return [...tritonFamilies(models), ...ownFamilies(models), ...featureFamilies(models), stateFamily(found)];
}

function tritonFamilies(models: readonly CountedModel[]): MetricFamily[] {
  const counter = (name: string, help: string, value: (counters: ModelCounters) => number): MetricFamily => ({
    name: `nv_inference_${name}`,
    type: "counter",
    help,
    samples: models.map((model) => [labelsOf(model), value(model.counters)]),
  });
  const micros = (name: string, help: string, value: (counters: ModelCounters) => number): MetricFamily =>
    counter(`${name}_duration_us`, `${help}, in microseconds.`, (counters) =>
      Math.round(value(counters) * US_A_MS),
    );
  return [
    counter("request_success", "Requests that were answered.", ({ successCount }) => successCount),
    {
      name: "nv_inference_request_failure",
      type: "counter",
      help: "Requests that failed, by Triton's words for why.",
      samples: models.flatMap((model) =>
        [...failures(model.counters)].map(([reason, count]): [Labels, number] => [
          { ...labelsOf(model), reason },
          count,
        ]),
      ),
    },
    counter("count", "Rows of the requests that were answered.", ({ inferenceCount }) => inferenceCount),
    counter("exec_count", "Runs, each of a batch.", ({ executionCount }) => executionCount),
    micros("request", "Requests that were answered: from the head to the answer", (one) => one.successMs),
    micros("queue", "Requests that were answered: in the queue", (one) => one.queueMs),
    micros(
      "compute_input",
      "Requests that were answered: read, checked, put in the queue",
      (one) => one.inputMs,
    ),
    micros("compute_infer", "Requests that were answered: their runs", (one) => one.inferMs),
    micros("compute_output", "Requests that were answered: their answers made", (one) => one.outputMs),
    {
      name: "nv_inference_pending_request_count",
      type: "gauge",
      help: "Requests that were taken and are not answered.",
      samples: models.map((model) => [labelsOf(model), model.batcher.depth.entries]),
    },
  ];
}

function failures({ failures: byReason, cancelCount }: ModelCounters): Map<Failure, number> {
  const counts = new Map<Failure, number>([
    ["REJECTED", 0],
    ["CANCELED", cancelCount],
    ["BACKEND", 0],
    ["OTHER", 0],
  ]);
  for (const [reason, count] of byReason) {
    const kind = REJECTED.has(reason) ? "REJECTED" : OF_THE_BACKEND.has(reason) ? "BACKEND" : "OTHER";
    counts.set(kind, counts.get(kind)! + count);
  }
  return counts;
}

function ownFamilies(models: readonly CountedModel[]): MetricFamily[] {
  const each = (
    name: string,
    type: "counter" | "gauge",
    help: string,
    samples: (model: CountedModel) => readonly (readonly [Labels, number])[],
  ): MetricFamily => ({
    name: `assay_${name}`,
    type,
    help,
    samples: models.flatMap((model) =>
      samples(model).map(([labels, value]): [Labels, number] => [{ ...labelsOf(model), ...labels }, value]),
    ),
  });
  const histogram = (
    name: string,
    help: string,
    scale: number,
    value: (counters: ModelCounters) => Histogram,
  ): MetricFamily => ({
    name: `assay_${name}`,
    type: "histogram",
    help,
    scale,
    samples: models.map((model) => [labelsOf(model), value(model.counters)]),
  });
  return [
    histogram(
      "request_duration_seconds",
      "Requests that were answered, items of streams among them.",
      1e-3,
      (one) => one.durations,
    ),
    histogram(
      "queue_duration_seconds",
      "How long requests waited for their run.",
      1e-3,
      (one) => one.queueTimes,
    ),
    histogram(
      "run_duration_seconds",
      "Runs, with the way to the instance and back.",
      1e-3,
      (one) => one.runTimes,
    ),
    histogram("batch_rows", "Rows of a run.", 1, (one) => one.runRows),
    each("batches_total", "counter", "Runs, by why no more rows were waited for.", ({ counters }) =>
      Object.entries(counters.batchEnds).map(([end, count]) => [{ end }, count]),
    ),
    each("request_failures_total", "counter", "Requests that failed, by reason.", ({ counters }) =>
      [...counters.failures].map(([reason, count]) => [{ reason: reasonName(reason) }, count]),
    ),
    each("requests_cancelled_total", "counter", "Requests that their callers took back.", ({ counters }) => [
      [{}, counters.cancelCount],
    ]),
    each("queue_rows", "gauge", "Rows that wait.", ({ batcher }) => [[{}, batcher.depth.rows]]),
    each("queue_bytes", "gauge", "What the rows that wait take.", ({ batcher }) => [
      [{}, batcher.depth.bytes],
    ]),
    each("queue_limit_rows", "gauge", "The most rows that may wait.", ({ batcher }) => [
      [{}, batcher.maxQueueRows],
    ]),
    each("running_rows", "gauge", "Rows that run.", ({ batcher }) => [[{}, batcher.depth.running]]),
    each("instance_up", "gauge", "1 for each instance that takes batches.", (model) =>
      model
        .instances()
        .map(({ device, state }, index) => [
          { device, instance_index: String(index) },
          Number(state === "idle" || state === "busy"),
        ]),
    ),
    each("instance_restarts_total", "counter", "Workers that ended and were replaced.", (model) =>
      model
        .instances()
        .map(({ device, restarts }, index) => [{ device, instance_index: String(index) }, restarts]),
    ),
  ];
}

function stateFamily(found: readonly ModelSummary[]): MetricFamily {
  return {
    name: "assay_model_ready",
    type: "gauge",
    help: "1 for each version that takes requests, 0 for each that was found and does not.",
    samples: found.map(({ modelName, modelVersion, state }) => [
      { model: modelName, version: modelVersion },
      Number(state === ModelState.READY),
    ]),
  };
}

function labelsOf({ modelName, modelVersion }: CountedModel): Labels {
  return { model: modelName, version: modelVersion };
}
