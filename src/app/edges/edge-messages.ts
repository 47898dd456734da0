/** What the first edge, in the main thread, and the further ones, in threads of their own, say to each other. */
import type { MessagePort } from "node:worker_threads";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { ServerSettings } from "../../config/server-settings.ts";
import type { TlsFiles } from "../../config/tls-files.ts";
import type { SharedPort } from "../../edge/listen/shared-port.ts";
import type { MetricReader } from "../../edge/metrics/metrics-route.ts";
import { AssayError, messageOf } from "../../errors.ts";
import { type ToldError, toldError } from "../../pool/guests/guest-messages.ts";
import type { SharedGeneration } from "../../registry/edges/shared-generation.ts";
import type { EdgeCounts } from "../../registry/model-counters.ts";
import type { UnservedModel, VersionNames } from "../../registry/model-table.ts";
import type { VersionName } from "../../registry/registry.ts";
import type { MetricFamily } from "../../telemetry/metric-text.ts";
import type { SpanRecord, TraceRule } from "../../telemetry/traces/span-record.ts";

/** What a further edge is started with, as its `workerData`. */
export interface EdgeStart {
  readonly settings: ServerSettings;
  readonly tls: TlsFiles | undefined;
  /** The address that the first edge got. */
  readonly host: string;
  readonly port: number;
  readonly sharedPort: SharedPort;
  /** Which traces are recorded; undefined: tracing is off. */
  readonly traceRule: TraceRule | undefined;
  readonly rateMemory: SharedArrayBuffer;
  /** The process's, for URLs of feature stores. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What is told and not answered, to a further edge. Changes of the table come in the order in which they were made. */
export type EdgeOrder =
  | { readonly kind: "put"; readonly model: UnservedModel }
  | { readonly kind: "serve"; readonly generation: SharedGeneration; readonly port: MessagePort }
  | ({ readonly kind: "remove" } & VersionName)
  | { readonly kind: "name"; readonly modelName: string; readonly names: VersionNames }
  | ({ readonly kind: "update-failed"; readonly reason: string | undefined } & VersionName)
  | { readonly kind: "settled" }
  | { readonly kind: "reread-files" }
  | { readonly kind: "announce-drain" }
  | { readonly kind: "close" };

/** What a further edge tells: that it listens, or why it cannot; lines of its log; spans of calls that have ended. */
export type EdgeNews =
  | { readonly kind: "listening" }
  | { readonly kind: "failed"; readonly error: ToldError }
  | { readonly kind: "log"; readonly line: string }
  | { readonly kind: "spans"; readonly spans: readonly SpanRecord[] };

/** Questions, each with its answer. The first edge asks all but the last two, the others all but `sync` and `drain`. */
export interface EdgeAnswers {
  /** Everything that was told before is in effect. */
  sync: true;
  /** What versions have done in this edge, or in all others, in the order of the names. */
  counts: readonly CountsOfEdge[];
  /** What an edge would tell at `/metrics` alone; to a further one, what all do. */
  metrics: readonly MetricFamily[];
  /** Whether calls ended in time. */
  drain: boolean;
  load: true;
  unload: true;
}

/** Counts of one edge by the places of the names; undefined where it does not know the version. */
export interface CountsOfEdge {
  readonly timeOrigin: number;
  readonly counts: readonly (EdgeCounts | undefined)[];
}

/** A question. */
export type EdgeQuestion =
  | { readonly kind: "sync" }
  | { readonly kind: "counts"; readonly names: readonly VersionName[] }
  | { readonly kind: "metrics"; readonly reader: MetricReader }
  | { readonly kind: "drain"; readonly timeoutMs: number }
  | { readonly kind: "load" | "unload"; readonly modelName: string };

/** A question or an answer on its way. */
export type Talk =
  | { readonly kind: "ask"; readonly id: number; readonly question: EdgeQuestion }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | ({ readonly kind: "refusal"; readonly id: number } & ToldError);

/** What was thrown, as it crosses threads. */
export function toldFailure(thrown: unknown): ToldError {
  if (thrown instanceof AssayError) return toldError(thrown);
  return { reason: Reason.INTERNAL, message: messageOf(thrown), retryAfterMs: undefined };
}
