/**
 * Calls of Assay's services over any transport of Connect: `@connectrpc/connect-web` in browsers, `@connectrpc/connect-node`.
 * Comes in: rows. Goes out: scores, or a `ScoringError` with its reason and violations.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { type Model, ModelService } from "../../gen/assay/v1/model_service_pb.ts";
import {
  type PredictRequestSchema,
  type PredictResponse,
  type PredictStreamResponse,
  ScoringService,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import type { Status } from "../../gen/google/rpc/status_pb.ts";

/** A request as `PredictRequest` has it: `modelName` and one of `features`, `rows` and `inputs`. */
export type Request = MessageInitShape<typeof PredictRequestSchema>;

/** One thing that is wrong with a request. */
export interface Violation {
  /** In the schema's names: `rows[2].fields["age"]`. */
  readonly field: string;
  readonly description: string;
}

/** Why a call, or an item of one, got no scores. */
export class ScoringError extends Error {
  override readonly name = "ScoringError";
  /** A name of `assay.v1.Reason`: `INVALID_REQUEST`, `QUEUE_FULL`, …; empty where no Assay answered. */
  readonly reason: string;
  readonly code: Code;
  readonly violations: readonly Violation[];
  /** How long to wait before the same is sent again; undefined where that would not help. */
  readonly retryDelayMs: number | undefined;

  constructor(
    message: string,
    facts: { reason: string; code: Code; violations: readonly Violation[]; retryDelayMs: number | undefined },
    cause?: unknown,
  ) {
    super(message, { cause });
    this.reason = facts.reason;
    this.code = facts.code;
    this.violations = facts.violations;
    this.retryDelayMs = facts.retryDelayMs;
  }
}

/** How a client calls. */
export interface ScorerOptions {
  /** The deadline of a call, its retries included, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** Times that a call is made where the server is away or its queue full. Default 4. */
  readonly attempts?: number;
}

/** How one call is made. */
export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly headers?: HeadersInit;
}

/** The answer to one item: scores, or what was wrong with it. */
export type ItemAnswer =
  | { readonly item: number; readonly response: PredictResponse; readonly error?: undefined }
  | { readonly item: number; readonly response?: undefined; readonly error: ScoringError };

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;

/** Scores rows with the models of one server, or of several that serve the same and take turns. */
export class Scorer {
  private readonly scoring: readonly Client<typeof ScoringService>[];
  private readonly models: readonly Client<typeof ModelService>[];
  private readonly timeoutMs: number;
  private readonly attempts: number;
  private turn = 0;

  constructor(transport: Transport | readonly Transport[], options: ScorerOptions = {}) {
    const transports = [transport].flat() as Transport[];
    if (transports.length === 0) throw new RangeError("no transport came; expected one for each server");
    this.scoring = transports.map((one) => createClient(ScoringService, one));
    this.models = transports.map((one) => createClient(ModelService, one));
    this.timeoutMs = options.timeoutMs ?? 30_000;
    this.attempts = options.attempts ?? 4;
  }

  /** Scores the rows of one request. Rejects with a ScoringError. */
  predict(request: Request, options: CallOptions = {}): Promise<PredictResponse> {
    return this.retried(options, (turn, call) => this.scoring[turn]!.predict(request, call));
  }

  /** Scores a list of requests in one call; each is answered as soon as it is scored, in their order. A bad one is answered with its error, and the others with scores. */
  async *predictRows(requests: readonly Request[], options: CallOptions = {}): AsyncGenerator<ItemAnswer> {
    const items = requests.map((request, at) => ({ itemId: BigInt(at), request }));
    try {
      const timeoutMs = options.timeoutMs ?? this.timeoutMs;
      for await (const answer of this.next(this.scoring).predictRows({ items }, { ...options, timeoutMs })) {
        yield itemAnswer(answer);
      }
    } catch (cause) {
      throw scoringError(cause);
    }
  }

  /** What a model takes and returns, its version and state. */
  async describe(modelName: string, modelVersion = "", options: CallOptions = {}): Promise<Model> {
    const { model } = await this.retried(options, (turn, call) =>
      this.models[turn]!.getModel({ modelName, modelVersion }, call),
    );
    return model!;
  }

  private next<T>(clients: readonly T[]): T {
    return clients[this.turn++ % clients.length]!;
  }

  private async retried<T>(
    options: CallOptions,
    call: (turn: number, options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const endsAt = Date.now() + (options.timeoutMs ?? this.timeoutMs);
    for (let attempt = 1; ; attempt++) {
      try {
        const timeoutMs = Math.max(1, endsAt - Date.now());
        return await call(this.turn++ % this.scoring.length, { ...options, timeoutMs });
      } catch (cause) {
        const error = scoringError(cause);
        const passes =
          error.code === Code.Unavailable ||
          (error.code === Code.ResourceExhausted && error.retryDelayMs !== undefined);
        const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
        const delayMs = Math.max(error.retryDelayMs ?? 0, longest * (0.5 + Math.random() / 2));
        if (!passes || attempt >= this.attempts || Date.now() + delayMs >= endsAt) throw error;
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        if (options.signal?.aborted === true) throw error;
      }
    }
  }
}

/** What a thrown error of Connect says, in fields of its own. */
export function scoringError(cause: unknown): ScoringError {
  if (cause instanceof ScoringError) return cause;
  const error = ConnectError.from(cause);
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  // What fetch throws where nobody answers, which Connect calls unknown.
  const isLost = error.code === Code.Unknown && error.cause instanceof TypeError;
  return new ScoringError(
    error.rawMessage,
    {
      reason: error.findDetails(ErrorInfoSchema)[0]?.reason ?? (isLost ? "SERVER_UNREACHABLE" : ""),
      code: isLost ? Code.Unavailable : error.code,
      violations: error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations),
      retryDelayMs: delay === undefined ? undefined : milliseconds(delay),
    },
    cause,
  );
}

function itemAnswer({ itemId, result, error }: PredictStreamResponse): ItemAnswer {
  const item = Number(itemId);
  if (result.case === "response") return { item, response: result.value };
  const status = result.value as Status | undefined;
  if (error === undefined) {
    // Binary messages have the details of a call.
    const details = (status?.details ?? []).map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
      value,
    }));
    const told = new ConnectError(status?.message ?? "the item has no answer", status?.code ?? Code.Unknown);
    told.details.push(...details);
    return { item, error: scoringError(told) };
  }
  const { reason, violations, retryDelay } = error;
  const retryDelayMs = retryDelay === undefined ? undefined : milliseconds(retryDelay);
  const facts = { reason, code: (status?.code ?? Code.Unknown) as Code, violations, retryDelayMs };
  return { item, error: new ScoringError(status?.message ?? "", facts) };
}

function milliseconds({ seconds, nanos }: { seconds: bigint; nanos: number }): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}
