import {
  CANCEL,
  ENHANCE_YOUR_CALM,
  NO_ERROR,
  PROTOCOL_ERROR,
  SETTINGS_TIMEOUT,
} from "../frame/error-code.ts";
import { PING } from "../frame/frame.ts";
import { socketProgress } from "../frame/node-socket.ts";
import type { Http2Stream } from "../streams/server-stream.ts";
import type { ConnectionContext } from "./connection-context.ts";
import type { ConnectionCore } from "./connection-core.ts";
import { confirmDrain, startDrain } from "./drain.ts";

const SWEEP_MS = 500;
// How long a connection that has said GOAWAY may take to close.
const CLOSE_MS = 2_000;
// A response that moves by less in its time does not move.
const MOVING_BYTES = 1_024;
const KEEPALIVE_PING = Buffer.from("alive-00", "latin1");

interface Watch {
  heardAtMs: number;
  pingedAtMs: number | undefined;
  headerBlockSinceMs: number | undefined;
  progress: string;
  takenAtMs: number;
  drainSinceMs: number | undefined;
  idleSinceMs: number;
  lastStreamId: number;
}

interface StalledResponse {
  sentBytes: number;
  sinceMs: number;
}

/** The engine's one timer: it gives each thing that a connection waits for its deadline. */
export interface Sweep {
  start(): void;
  stop(): void;
}

/** In how many rounds of the timer `durationMs` has passed for certain; 0 for 0. */
export function sweepsOf(durationMs: number): number {
  return durationMs === 0 ? 0 : Math.ceil(durationMs / SWEEP_MS) + 1;
}

/** Watches `connections` twice a second while it is started; deadlines are exact to that. */
export function createSweep(
  connections: Iterable<ConnectionCore>,
  context: Pick<ConnectionContext, "limits" | "counters" | "clock" | "unreadAnswers">,
): Sweep {
  const { limits, counters, clock, unreadAnswers } = context;
  let timer: NodeJS.Timeout | undefined;
  const watches = new WeakMap<ConnectionCore, Watch>();
  const stalled = new WeakMap<Http2Stream, StalledResponse>();

  const sweep = () => {
    const nowMs = performance.now();
    clock.sweeps++;
    unreadAnswers.check();
    for (const connection of connections) {
      let watch = watches.get(connection);
      if (watch === undefined) {
        watch = {
          heardAtMs: nowMs,
          pingedAtMs: undefined,
          headerBlockSinceMs: undefined,
          progress: "",
          takenAtMs: nowMs,
          drainSinceMs: undefined,
          idleSinceMs: nowMs,
          lastStreamId: connection.lastStreamId,
        };
        watches.set(connection, watch);
      }
      inspect(connection, watch, nowMs);
    }
  };

  const inspect = (connection: ConnectionCore, watch: Watch, nowMs: number) => {
    if (connection.closingSinceMs !== undefined) {
      if (nowMs - connection.closingSinceMs > CLOSE_MS) connection.socket.destroy();
      return;
    }
    if (!connection.settingsReceived && nowMs - connection.openedAtMs > limits.handshakeTimeoutMs) {
      connection.fail(PROTOCOL_ERROR, "no client preface and SETTINGS in time (3.4)");
      return;
    }
    if (!connection.settingsAcknowledged && nowMs - connection.openedAtMs > limits.handshakeTimeoutMs * 3) {
      connection.fail(SETTINGS_TIMEOUT, "SETTINGS were not acknowledged in time (6.5.3)");
      return;
    }
    watch.headerBlockSinceMs = connection.assembly.open ? (watch.headerBlockSinceMs ?? nowMs) : undefined;
    if (nowMs - (watch.headerBlockSinceMs ?? nowMs) > limits.headerBlockTimeoutMs) {
      connection.fail(ENHANCE_YOUR_CALM, "a header block was not completed in time");
      return;
    }
    inspectIdleness(connection, watch, nowMs);
    if (connection.draining) {
      watch.drainSinceMs ??= nowMs;
      if (nowMs - watch.drainSinceMs > CLOSE_MS / 2) confirmDrain(connection);
    }
    if (inspectWrites(connection, watch, nowMs)) inspectSilence(connection, watch, nowMs);
    for (const stream of connection.streams.all()) inspectResponse(stream, nowMs);
    counters.bodiesCutOff += connection.answeredEarly.sweep(nowMs, limits.maxDiscardMs);
  };

  /** A socket that takes nothing for too long; GOAWAY would not get through either. */
  const inspectWrites = (connection: ConnectionCore, watch: Watch, nowMs: number): boolean => {
    const progress = connection.socket.writableLength === 0 ? "" : socketProgress(connection.socket);
    if (progress === "" || progress !== watch.progress) {
      watch.progress = progress;
      watch.takenAtMs = nowMs;
    }
    if (nowMs - watch.takenAtMs <= limits.writeTimeoutMs) return true;
    connection.fail(ENHANCE_YOUR_CALM, "the peer does not read (CVE-2019-9517)");
    connection.socket.destroy();
    return false;
  };

  /** PINGs keep a connection alive, not in use: only streams do. */
  const inspectIdleness = (connection: ConnectionCore, watch: Watch, nowMs: number) => {
    if (connection.streams.size > 0 || connection.lastStreamId !== watch.lastStreamId) {
      watch.idleSinceMs = nowMs;
      watch.lastStreamId = connection.lastStreamId;
    } else if (nowMs - watch.idleSinceMs > limits.idleTimeoutMs) {
      if (!connection.draining) counters.connectionsIdle++;
      startDrain(connection);
    }
  };

  const inspectSilence = (connection: ConnectionCore, watch: Watch, nowMs: number) => {
    if (connection.heard) {
      connection.heard = false;
      watch.heardAtMs = nowMs;
      watch.pingedAtMs = undefined;
    }
    if (watch.pingedAtMs !== undefined) {
      if (nowMs - watch.pingedAtMs > limits.keepaliveMs) connection.fail(NO_ERROR, "no answer to PING");
    } else if (nowMs - watch.heardAtMs > limits.keepaliveMs) {
      watch.pingedAtMs = nowMs;
      connection.output.control(PING, 0, KEEPALIVE_PING, 0, KEEPALIVE_PING.length);
    }
  };

  /** Octets that are ready and that the peer opens no window for, though it may keep the connection busy otherwise. */
  const inspectResponse = (stream: Http2Stream, nowMs: number) => {
    if (!stream.waiting) {
      if (stalled.has(stream)) stalled.delete(stream);
      return;
    }
    const seen = stalled.get(stream);
    if (seen === undefined || stream.sentBytes - seen.sentBytes >= MOVING_BYTES) {
      stalled.set(stream, { sentBytes: stream.sentBytes, sinceMs: nowMs });
    } else if (nowMs - seen.sinceMs > limits.stalledResponseMs) {
      counters.streamsStalled++;
      stream.abort(CANCEL, { kind: "reset", code: CANCEL });
    }
  };

  return {
    start() {
      timer ??= setInterval(sweep, SWEEP_MS).unref();
    },
    stop() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}
