/** Figures for people of the families that `/metrics` tells. Pure: what was counted comes in, a message goes out. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  HistogramFiguresSchema,
  type ModelFigures,
  ModelFiguresSchema,
  ProtocolFiguresSchema,
  ServerFiguresSchema,
  type WatchFiguresResponseSchema,
} from "../../../gen/assay/v1/console_service_pb.ts";
import type { Histogram } from "../../telemetry/histogram.ts";
import type { Labels, MetricFamily } from "../../telemetry/metric-text.ts";

/** The message of one look; the server's name, version and state are the caller's to add. */
export type Figures = MessageInitShape<typeof WatchFiguresResponseSchema>;

const US_A_SECOND = 1e6;
const FIRST_ERROR_STATUS = 400;

/** Families by their names. */
class Families {
  private readonly byName: ReadonlyMap<string, MetricFamily>;

  constructor(families: readonly MetricFamily[]) {
    this.byName = new Map(families.map((family) => [family.name, family]));
  }

  numbers(name: string): readonly (readonly [Labels, number])[] {
    const family = this.byName.get(name);
    return family === undefined || family.type === "histogram" ? [] : family.samples;
  }

  histograms(name: string): readonly (readonly [Labels, Histogram])[] {
    const family = this.byName.get(name);
    return family?.type === "histogram" ? family.samples : [];
  }

  sum(name: string): number {
    return this.numbers(name).reduce((sum, [, value]) => sum + value, 0);
  }
}

/** Folds families to figures of all versions and protocols that they tell of. */
export function figuresOf(all: readonly MetricFamily[]): Figures {
  const families = new Families(all);
  return {
    server: create(ServerFiguresSchema, {
      startedAt: timestampFromMs(Math.round(families.sum("process_start_time_seconds") * 1000)),
      connections: whole(families.sum("assay_connections_open")),
      openCalls: whole(families.sum("assay_calls_open")),
      requestMemoryBytes: whole(families.sum("assay_request_memory_bytes")),
      requestMemoryLimitBytes: whole(families.sum("assay_request_memory_limit_bytes")),
      residentBytes: whole(families.sum("process_resident_memory_bytes")),
      cpuSeconds: families.sum("process_cpu_seconds_total"),
    }),
    models: modelFigures(families),
    protocols: protocolFigures(families),
    durationBounds: boundsOf(families, "assay_request_duration_seconds", 1e-3),
    rowBounds: boundsOf(families, "assay_batch_rows", 1),
  };
}

function modelFigures(families: Families): ModelFigures[] {
  const models = new Map<string, ModelFigures>();
  const of = ({ model = "", version = "" }: Labels): ModelFigures => {
    const key = `${model}\n${version}`;
    let figures = models.get(key);
    if (figures === undefined) {
      figures = create(ModelFiguresSchema, { modelName: model, modelVersion: version, stages: {} });
      models.set(key, figures);
    }
    return figures;
  };
  const each = (name: string, set: (figures: ModelFigures, value: number, labels: Labels) => void): void => {
    for (const [labels, value] of families.numbers(name)) set(of(labels), value, labels);
  };
  const stage = (name: string, stage: "input" | "queue" | "run" | "output"): void =>
    each(`nv_inference_${name}_duration_us`, (figures, value) => {
      figures.stages![stage] = value / US_A_SECOND;
    });
  each("nv_inference_request_success", (figures, value) => {
    figures.answered = whole(value);
  });
  each("nv_inference_count", (figures, value) => {
    figures.rows = whole(value);
  });
  each("nv_inference_exec_count", (figures, value) => {
    figures.runs = whole(value);
  });
  each("assay_requests_cancelled_total", (figures, value) => {
    figures.cancelled = whole(value);
  });
  each("assay_request_failures_total", ({ failures }, value, { reason = "" }) => {
    failures[reason] = whole(value);
  });
  each("assay_batches_total", ({ batchEnds }, value, { end = "" }) => {
    batchEnds[end] = whole(value);
  });
  each("assay_queue_rows", (figures, value) => {
    figures.queuedRows = whole(value);
  });
  each("assay_queue_limit_rows", (figures, value) => {
    figures.queueLimitRows = whole(value);
  });
  each("assay_running_rows", (figures, value) => {
    figures.runningRows = whole(value);
  });
  stage("compute_input", "input");
  stage("queue", "queue");
  stage("compute_infer", "run");
  stage("compute_output", "output");
  for (const [labels, histogram] of families.histograms("assay_request_duration_seconds"))
    of(labels).durations = histogramFigures(histogram, 1e-3);
  for (const [labels, histogram] of families.histograms("assay_batch_rows"))
    of(labels).batchRows = histogramFigures(histogram, 1);
  return [...models.values()];
}

/** Calls of procedures and requests of plain HTTP, by what they were sent in. */
function protocolFigures(families: Families) {
  const protocols = new Map<string, { succeeded: bigint; failures: Record<string, bigint> }>();
  const add = (protocol: string, failure: string | undefined, { count }: Histogram): void => {
    const figures = protocols.get(protocol) ?? { succeeded: 0n, failures: {} };
    protocols.set(protocol, figures);
    if (failure === undefined) figures.succeeded += BigInt(count);
    else figures.failures[failure] = (figures.failures[failure] ?? 0n) + BigInt(count);
  };
  for (const [labels, durations] of families.histograms("rpc_server_call_duration_seconds")) {
    const { rpc_system_name = "", rpc_response_status_code: status = "", error_type } = labels;
    add(rpc_system_name, error_type ?? (status === "OK" ? undefined : status), durations);
  }
  for (const [labels, durations] of families.histograms("http_server_request_duration_seconds")) {
    const { http_response_status_code: status = "", error_type } = labels;
    const isError = Number(status) >= FIRST_ERROR_STATUS;
    add("http", error_type ?? (isError ? `HTTP ${status}` : undefined), durations);
  }
  return [...protocols].map(([protocol, figures]) => create(ProtocolFiguresSchema, { protocol, ...figures }));
}

function histogramFigures({ counts, sum }: Histogram, scale: number) {
  return create(HistogramFiguresSchema, { counts: counts.map(whole), sum: sum * scale });
}

function boundsOf(families: Families, name: string, scale: number): number[] {
  const first = families.histograms(name)[0]?.[1];
  return first === undefined ? [] : first.bounds.map((bound) => Number((bound * scale).toPrecision(12)));
}

function whole(value: number): bigint {
  return BigInt(Math.max(0, Math.round(value)));
}
