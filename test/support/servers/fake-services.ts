import { create } from "@bufbuild/protobuf";
import pino from "pino";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import {
  GetModelResponseSchema,
  ModelState,
  type ModelSummary,
  ModelSummarySchema,
} from "../../../gen/assay/v1/model_service_pb.ts";
import {
  type PredictRequest,
  type PredictResponse,
  PredictResponseSchema,
  type PredictStreamRequest,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { EdgeLimits } from "../../../src/edge/call/limits.ts";
import type { EdgeOptions } from "../../../src/edge/edge.ts";
import { createEdge, type Edge } from "../../../src/edge/edge.ts";
import { AssayError, type Violation } from "../../../src/errors.ts";
import type { ModelsService } from "../../../src/registry/models.ts";
import type { Call } from "../../../src/service/call.ts";
import type { ItemResult, ItemSize, ItemStream, ScoringService } from "../../../src/service/scoring.ts";
import { type Http2EngineName, http2EngineOptions } from "../../reference/http2-engines.ts";

export const LIMITS: EdgeLimits = {
  maxMessageBytes: 1024 * 1024,
  maxHeaderListBytes: 16_384,
  maxConcurrentStreams: 100,
  maxConnections: 100,
  maxConnectionsPerPeer: 0,
  maxUnreadAnswerBytes: 4 * 1024 * 1024,
  // Long enough for a machine with other work; what is told of times gives its own.
  unreadTimeoutMs: 60_000,
  callTimeoutMs: 60_000,
  headerTimeoutMs: 20_000,
  bodyTimeoutMs: 20_000,
  idleTimeoutMs: 60_000,
  streamWindowBytes: 262_144,
  maxRequestMemoryBytes: 0n,
  ignoreUnknownFields: false,
};

/** A scoring service without models: a row's score is its sum, and a model's name says what becomes of the call. */
export interface FakeScoring extends ScoringService {
  readonly calls: Call[];
  /** Calls to model `hang` that have not been cancelled. */
  readonly hanging: Set<Call>;
  /** Resolves when so many more calls to `hang` have come. */
  hangs(count?: number): Promise<void>;
  /** Resolves when so many more of them have been cancelled. */
  cancels(count?: number): Promise<void>;
  /** So many calls find the queue full, whatever their model. */
  fullFor: number;
  /** Answers what hangs with the score 7. */
  release(): void;
}

export function createFakeScoring(): FakeScoring {
  const hung: HungCalls = { answers: new Map(), onHang: () => {}, onCancelled: () => {} };
  const fake: FakeScoring = {
    calls: [],
    hanging: new Set(),
    hangs: (count = 1) =>
      countdown(count, (heard) => {
        hung.onHang = heard;
      }),
    cancels: (count = 1) =>
      countdown(count, (heard) => {
        hung.onCancelled = heard;
      }),
    fullFor: 0,
    release() {
      for (const answer of hung.answers.values()) answer(create(PredictResponseSchema, { scores: [7] }));
    },
    resolve() {
      throw new AssayError(Reason.MODEL_NOT_FOUND, "fake models have no signature");
    },
    predict(request, call) {
      fake.calls.push(call);
      if (request.modelName === "hang") return hang(fake, call, hung);
      if (fake.fullFor > 0) {
        fake.fullFor--;
        return Promise.reject(queueFull());
      }
      return new Promise((resolve) => resolve(score(request)));
    },
    openStream(call) {
      fake.calls.push(call);
      return fakeItemStream();
    },
    async *predictStream(requests, call) {
      fake.calls.push(call);
      for await (const item of requests) yield itemResult(item);
    },
    async *predictRows(request, call) {
      fake.calls.push(call);
      for (const item of request.items) yield itemResult(item);
    },
    drain() {},
  };
  return fake;
}

interface HungCalls {
  readonly answers: Map<Call, (response: PredictResponse) => void>;
  onHang: () => void;
  onCancelled: () => void;
}

function countdown(count: number, listen: (heard: () => void) => void): Promise<void> {
  let left = count;
  return new Promise((resolve) => {
    listen(() => {
      if (--left === 0) resolve();
    });
  });
}

function hang(fake: FakeScoring, call: Call, hung: HungCalls): Promise<PredictResponse> {
  return new Promise((resolve, reject) => {
    fake.hanging.add(call);
    hung.answers.set(call, resolve);
    call.onCancel = () => {
      fake.hanging.delete(call);
      hung.answers.delete(call);
      reject(new AssayError(Reason.CANCELLED, "cancelled"));
      hung.onCancelled();
    };
    hung.onHang();
  });
}

function fakeItemStream(): ItemStream {
  const answers: { result: ItemResult; size: ItemSize }[] = [];
  let ending: { readonly error: unknown } | undefined;
  const stream: ItemStream = {
    offer(item, size) {
      answers.push({ result: itemResult(item), size });
      stream.onChange();
      return true;
    },
    end(error) {
      ending ??= { error };
      stream.onChange();
    },
    take() {
      const answer = answers.shift();
      answer?.size.onLeave?.();
      return answer?.result;
    },
    get isIdle() {
      return answers.length === 0;
    },
    get isEnding() {
      return ending !== undefined;
    },
    get outcome() {
      return answers.length === 0 ? ending : undefined;
    },
    onChange: () => {},
    close() {},
  };
  return stream;
}

function itemResult(item: PredictStreamRequest): ItemResult {
  try {
    return { itemId: item.itemId, response: score(item.request!) };
  } catch (error) {
    return { itemId: item.itemId, error: asItemError(error) };
  }
}

function asItemError(error: unknown): AssayError {
  if (error instanceof AssayError) return error;
  return new AssayError(Reason.INTERNAL, "internal error", { cause: error });
}

function queueFull(): AssayError {
  return new AssayError(Reason.QUEUE_FULL, "the queue holds 8192 rows (max-queue-rows)", {
    retryAfterMs: 250,
  });
}

function score(request: PredictRequest): PredictResponse {
  switch (request.modelName) {
    case "full":
      throw queueFull();
    case "loading":
      throw new AssayError(Reason.MODEL_NOT_READY, "model loading is still being loaded");
    case "bug":
      throw new TypeError("a bug in the fake");
    case "lost":
      throw new AssayError(Reason.INSTANCE_LOST, "the worker ended", { cause: new Error("exit code 1") });
    case "missing":
      throw new AssayError(Reason.MODEL_NOT_FOUND, 'the server has no model "missing"; it has sum');
    case "invalid":
      throw invalid(Math.max(1, request.features.length));
  }
  if (request.features.length === 0 && request.rows.length === 0 && request.inputs.length === 0)
    throw invalid(1);
  const rows =
    request.rows.length > 0 ? request.rows.map((row) => Object.values(row) as number[]) : [request.features];
  return create(PredictResponseSchema, {
    modelName: request.modelName || "sum",
    modelVersion: "1",
    requestId: request.requestId,
    scores: rows.map((row) => row.reduce((sum, value) => sum + value, 0)),
    labels: rows.map(() => "é"),
  });
}

function invalid(count: number): AssayError {
  const violations: Violation[] = [];
  for (let i = 0; i < count; i++) {
    violations.push({
      field: `features[${i}]`,
      description: "NaN is refused by this model",
      rule: "value.nan",
    });
  }
  return new AssayError(Reason.INVALID_REQUEST, `features[0]: NaN (and ${count - 1} more)`, { violations });
}

export function createFakeModels(ready = true): ModelsService {
  const summary = (modelName: string, state: ModelState, stateReason = ""): ModelSummary =>
    create(ModelSummarySchema, { modelName, modelVersion: "1", state, stateReason });
  const models = [
    summary("broken", ModelState.FAILED, "the file is not ONNX"),
    summary("sum", ready ? ModelState.READY : ModelState.LOADING),
  ];
  return {
    list: () => models,
    get(modelName) {
      const found = models.find((model) => model.modelName === modelName);
      if (found === undefined)
        throw new AssayError(Reason.MODEL_NOT_FOUND, `no model ${modelName}; there is sum`);
      return create(GetModelResponseSchema, { model: { modelName, state: found.state } });
    },
    tritonConfig: () => undefined,
    counts: () => [],
    totals: async () => [],
    readiness: () => ({ ready, settled: ready, draining: false, models }),
  };
}

/** An edge over the fakes on a free port. Close it. */
export async function startEdge({
  http2Engine,
  ...options
}: Partial<Omit<EdgeOptions, "limits" | "http2Engine">> & {
  limits?: Partial<EdgeLimits>;
  http2Engine?: Http2EngineName;
} = {}): Promise<{ edge: Edge; port: number; scoring: FakeScoring }> {
  const scoring = createFakeScoring();
  const edge = createEdge({
    scoring,
    models: createFakeModels(),
    corsOrigins: ["*"],
    ...http2EngineOptions(http2Engine),
    log: pino({ level: "silent" }),
    ...options,
    limits: { ...LIMITS, ...options.limits },
  });
  const { port } = await edge.listen("127.0.0.1", 0);
  return { edge, port, scoring };
}
