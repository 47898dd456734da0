import { create } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { ModelSchema } from "../../../../gen/assay/v1/model_service_pb.ts";
import {
  type PredictRequest,
  type PredictResponse,
  PredictResponseSchema,
} from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { LastingScorer } from "../../../../src/consume/records/lasting-scorer.ts";
import { RecordScoring } from "../../../../src/consume/records/record-scoring.ts";
import { AssayError } from "../../../../src/errors.ts";
import { retryDelayMs } from "../../../../src/scorer/remote/retry-policy.ts";

const MODEL = create(ModelSchema, { modelName: "m", modelVersion: "1", scoreOutput: "s" });
type Score = (request: PredictRequest) => Promise<PredictResponse>;

/** The score of a row is its column `a`. */
async function echo({ rows }: PredictRequest): Promise<PredictResponse> {
  return create(PredictResponseSchema, {
    modelName: "m",
    modelVersion: "1",
    scores: rows.map(({ a }) => Number(a)),
  });
}

function scoringWith(score: Score, onRetry = () => {}): RecordScoring {
  return new RecordScoring({
    scorer: { model: MODEL, score },
    format: "auto",
    askedVersion: undefined,
    onRetry,
  });
}

function records(...values: (string | null)[]) {
  return values.map((value, at) => ({
    offset: BigInt(at),
    timestamp: 0n,
    key: value === null ? null : Buffer.from("k"),
    value: value === null ? null : Buffer.from(value),
    headers: [],
  }));
}

test("each record has the scores of its own rows, and what cannot be read has none", async () => {
  const outcomes = await scoringWith(echo).score(
    records('{"a": 1}', "nothing", '{"rows": [{"a": 2}, {"a": 3}], "request_id": "r"}', null, '{"a": 4}'),
    new AbortController().signal,
  );
  expect(outcomes).toMatchObject([
    { response: { scores: [1] } },
    { refusal: { reason: "INVALID_REQUEST" } },
    { response: { scores: [2, 3], requestId: "r" } },
    { refusal: { message: "neither a value nor a key came" } },
    { response: { scores: [4] } },
  ]);
});

test("a row on which the model fails is found among the others, which have their scores", async () => {
  const score: Score = async (request) => {
    if (request.rows.some(({ a }) => a === 7)) throw new AssayError(Reason.RUN_FAILED, "no sevens");
    return echo(request);
  };
  const values = Array.from({ length: 20 }, (_, a) => JSON.stringify({ a }));
  const outcomes = await scoringWith(score).score(records(...values), new AbortController().signal);
  expect(outcomes.flatMap(({ kind }, at) => (kind === "refused" ? [at] : []))).toEqual([7]);
  expect(outcomes[8]).toMatchObject({ response: { scores: [8] } });
});

test("the server's own failures are tried again until they pass, or nobody wants the rows any more", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  const failures = [Reason.QUEUE_FULL, Reason.MODEL_NOT_FOUND];
  const onRetry = vi.fn();
  const score: Score = async (request) => {
    const reason = failures.shift();
    if (reason !== undefined) throw new AssayError(reason, "not now");
    return echo(request);
  };
  const [one] = await scoringWith(score, onRetry).score(records('{"a": 1}'), new AbortController().signal);
  expect(one).toMatchObject({ response: { scores: [1] } });
  expect(onRetry).toHaveBeenCalledTimes(2);
  const controller = new AbortController();
  const never = scoringWith(
    () => Promise.reject(new AssayError(Reason.QUEUE_FULL, "never")),
    () => controller.abort(),
  );
  await expect(never.score(records('{"a": 1}'), controller.signal)).rejects.toThrow();
});

test("delays double to five seconds, and are never less than the server asked for", () => {
  expect([1, 2, 3, 20].map((attempt) => retryDelayMs(attempt, {}, 0))).toEqual([50, 100, 200, 2500]);
  expect(retryDelayMs(20, {}, 0.999)).toBeLessThanOrEqual(5000);
  expect(retryDelayMs(1, { retryAfterMs: 800 }, 0)).toBe(800);
});

test("a scorer that has ended is opened again by the next request; one that only refused rows is not", async () => {
  const closed: string[] = [];
  const scorer = (name: string, reason: Reason) => ({
    model: create(ModelSchema, { modelName: name }),
    requestsInFlight: 1,
    score: () => Promise.reject(new AssayError(reason, name)),
    close: async () => {
      closed.push(name);
    },
  });
  const open = vi.fn(async () => scorer("second", Reason.ROWS_REFUSED));
  const lasting = new LastingScorer(scorer("first", Reason.MODEL_VERSION_NOT_FOUND), open);
  const request = {} as PredictRequest;
  await expect(lasting.score(request)).rejects.toThrow("first");
  expect(lasting.isReady).toBe(false);
  await expect(lasting.score(request)).rejects.toThrow("second");
  await expect(lasting.score(request)).rejects.toThrow("second");
  expect([lasting.isReady, lasting.model.modelName, open.mock.calls.length, closed]).toEqual([
    true,
    "second",
    1,
    ["first"],
  ]);
});
