/**
 * `assay.v1.ConsoleService`: what `/metrics` counts, as it goes on. Promises: nothing is counted for it; those who watch at once share a
 * look, and are so many at most; a watch ends with its caller and with the server.
 */
import { create } from "@bufbuild/protobuf";
import { type Duration, durationMs, timestampNow } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import {
  ConsoleService,
  type ModelFigures,
  WatchFiguresRequestSchema,
  type WatchFiguresResponse,
  WatchFiguresResponseSchema,
} from "../../../gen/assay/v1/console_service_pb.ts";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Caller } from "../../registry/caller.ts";
import type { Readiness } from "../../registry/models.ts";
import { checkSchemaRules } from "../../service/check/schema-rules.ts";
import { createViolations } from "../../service/check/violations.ts";
import type { MetricFamily } from "../../telemetry/metric-text.ts";
import type { DrainNotice } from "../call/drain-notice.ts";
import { callOf } from "../connect/interceptor.ts";
import type { ServerFacts } from "../inference/metadata.ts";
import { figuresOf } from "./figures.ts";

/** What the service stands on. */
export interface ConsoleServiceParts {
  /** The families of all edges, read without taking anything from a scrape. */
  families(): Promise<readonly MetricFamily[]>;
  readonly readiness: () => Pick<Readiness, "ready" | "draining" | "settled">;
  readonly facts: ServerFacts;
  readonly notice: DrainNotice;
  /** Throws where a caller sees no figures. */
  check(caller: Caller): void;
}

const MAX_WATCHERS = 32;
const DEFAULT_INTERVAL_MS = 1_000;
/** Those who look within so long of each other see the same. */
const LOOK_MS = 200;

/** Routes the service; called for a server that has pages for people. */
export function consoleServiceRoutes(router: ConnectRouter, parts: ConsoleServiceParts): void {
  const looks = new Looks(parts);
  let watcherCount = 0;
  router.service(ConsoleService, {
    async *watchFigures(request, context) {
      parts.check(callOf(context).caller);
      const violations = createViolations();
      checkSchemaRules(WatchFiguresRequestSchema, request, violations);
      violations.throwIfAny();
      if (watcherCount === MAX_WATCHERS) throw tooManyWatchers();
      watcherCount++;
      try {
        const intervalMs = intervalOf(request.interval);
        const seen = new Map<string, string>();
        while (!context.signal.aborted) {
          const { version, isDraining } = parts.notice;
          const { server, ...rest } = withoutIdle(await looks.look(), seen);
          yield { ...rest, server: { ...server!, ...stateOf(parts) } };
          if (isDraining) throw new AssayError(Reason.SHUTTING_DOWN, "the server is shutting down");
          await parts.notice.changeAfter(version, intervalMs, context.signal);
        }
      } finally {
        watcherCount--;
      }
    },
  });
}

/** Not shared by those who watch: each is told at once. */
function stateOf({ facts, readiness }: ConsoleServiceParts) {
  const { ready, draining, settled } = readiness();
  return { serverName: facts.serverName, serverVersion: facts.version, ready, draining, loading: !settled };
}

function intervalOf(interval: Duration | undefined): number {
  return interval === undefined ? DEFAULT_INTERVAL_MS : durationMs(interval);
}

function tooManyWatchers(): AssayError {
  return new AssayError(
    Reason.LIMIT_REACHED,
    `${MAX_WATCHERS} callers watch the figures of this server, the most that may; close one of them, or read /metrics`,
  );
}

/** Without the versions that are as they were when this caller saw them last. */
function withoutIdle(figures: WatchFiguresResponse, seen: Map<string, string>): WatchFiguresResponse {
  const models = figures.models.filter((model) => {
    const key = `${model.modelName}\n${model.modelVersion}`;
    const mark = markOf(model);
    if (seen.get(key) === mark) return false;
    seen.set(key, mark);
    return true;
  });
  return { ...figures, models };
}

/** What changes with everything that a version does or holds. */
function markOf(model: ModelFigures): string {
  const { answered, rows, runs, cancelled, failures, queuedRows, runningRows, queueLimitRows } = model;
  return [answered, rows, runs, cancelled, queuedRows, runningRows, queueLimitRows]
    .concat(Object.values(failures))
    .join();
}

/** The last look, which all share who want one at about the same time. */
class Looks {
  private readonly parts: ConsoleServiceParts;
  private last: Promise<WatchFiguresResponse> | undefined = undefined;
  private lastAt = Number.NEGATIVE_INFINITY;

  constructor(parts: ConsoleServiceParts) {
    this.parts = parts;
  }

  look(): Promise<WatchFiguresResponse> {
    const now = performance.now();
    if (this.last === undefined || now - this.lastAt > LOOK_MS) {
      this.lastAt = now;
      this.last = this.read();
    }
    return this.last;
  }

  private async read(): Promise<WatchFiguresResponse> {
    const figures = figuresOf(await this.parts.families());
    return create(WatchFiguresResponseSchema, { ...figures, takenAt: timestampNow() });
  }
}
