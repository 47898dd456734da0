import type { Socket } from "node:net";
import { type Member, Members } from "../../http2/members.ts";
import type { CancelReason, StreamHandler } from "../../http2/stream.ts";
import { limitHit } from "../../limits.ts";
import type { EdgeLimits } from "../call/limits.ts";
import type { Engine } from "../listen/engine.ts";
import { closeGently } from "../listen/gentle-close.ts";
import type { MemoryBudget } from "../memory/memory-budget.ts";
import { keepAliveFields } from "./head-text.ts";
import { createNodeHttp } from "./node-http.ts";
import { PlainConnection } from "./plain-connection.ts";
import type { HeadRules } from "./plain-head.ts";
import { type RequestFault, refuseRequest } from "./request-refusal.ts";

const SWEEP_MS = 500;
const LEAST_SWEEP_MS = 20;
/** What all connections together may leave unread, in parts of one; the HTTP/2 engine takes as much. */
const ALL_CONNECTIONS = 2;
/** How much may be written, in parts of that, before all connections are counted. */
const PART = 8;

/** A connection, whoever reads its requests. */
interface Http1Connection extends Member {
  readonly socket: Socket;
  readonly isIdle: boolean;
  /** What lies here because the peer does not read, or sent too much. */
  readonly unreadBytes: number;
  stalledSince(nowMs: number): number;
  /** Looks at its times; those of `node:http` are its own. */
  sweep?(nowMs: number): void;
  cancel?(reason: CancelReason): void;
}

/**
 * Serves HTTP/1.1 connections: plain requests to hot paths by hand, all else with `node:http`, which keeps a connection that it was
 * given. Without `isHot` all is `node:http`'s.
 */
export function createHttp1Engine(
  limits: EdgeLimits,
  onStream: StreamHandler,
  memory: MemoryBudget,
  isHot?: HeadRules["isHot"],
): Engine {
  const connections = new Members<Http1Connection>();
  const maxUnreadBytes = limits.maxUnreadAnswerBytes * ALL_CONNECTIONS;
  const sweepMs = Math.max(
    LEAST_SWEEP_MS,
    Math.min(SWEEP_MS, limits.headerTimeoutMs / 4, limits.idleTimeoutMs / 4),
  );
  let isLastCall = false;
  let isClosing = false;
  let writtenBytes = 0;
  /** What the budget holds for this engine. */
  let countedBytes = 0;
  let sweepTimer: NodeJS.Timeout | undefined;
  let closeTimer: NodeJS.Timeout | undefined;

  function written(byteCount: number): void {
    writtenBytes += byteCount;
    if (writtenBytes * PART > maxUnreadBytes) setImmediate(checkUnread);
  }

  function checkUnread(): void {
    writtenBytes = 0;
    let sum = 0;
    for (const connection of connections) sum += connection.unreadBytes;
    if (sum > countedBytes) memory.force(sum - countedBytes);
    else if (sum < countedBytes) memory.give(countedBytes - sum);
    countedBytes = sum;
    if (sum <= maxUnreadBytes) return;
    const holders = [...connections].filter(({ unreadBytes }) => unreadBytes > 0);
    holders.sort((a, b) => b.unreadBytes - a.unreadBytes);
    // One alone may be slow with an answer that is larger than the limit.
    for (const connection of holders.slice(0, -1)) {
      if (sum <= maxUnreadBytes) return;
      sum -= connection.unreadBytes;
      limitHit("max-unread-answer-bytes");
      connection.socket.destroy();
    }
  }

  function sweep(): void {
    const nowMs = performance.now();
    checkUnread();
    for (const connection of connections) {
      if (nowMs - connection.stalledSince(nowMs) > limits.unreadTimeoutMs) {
        limitHit("unread-timeout-ms");
        connection.socket.destroy();
      } else if (isClosing && connection.isIdle) closeGently(connection.socket);
      else connection.sweep?.(nowMs);
    }
  }

  /** Who is idle after the time in which clients could have been told is let go; requests that are coming are answered first. */
  function closeIdle(): void {
    isClosing = true;
    sweep();
  }

  const node = createNodeHttp({
    limits,
    onStream,
    connectionOf: (socket) => nodeConnections.get(socket),
    isLastCall: () => isLastCall,
    written,
  });
  const nodeConnections = new WeakMap<Socket, ReturnType<typeof node.accept>>();

  function toNode(socket: Socket): void {
    const connection = node.accept(socket);
    nodeConnections.set(socket, connection);
    connections.add(connection);
    // Octets lie in the socket's own buffer, and it was paused after them.
    socket.resume();
  }

  const plain =
    isHot === undefined
      ? undefined
      : {
          rules: { isHot, maxHeadBytes: limits.maxHeaderListBytes, maxBodyBytes: limits.maxMessageBytes },
          windowBytes: limits.streamWindowBytes,
          headerTimeoutMs: limits.headerTimeoutMs,
          idleTimeoutMs: limits.idleTimeoutMs,
          keepAliveFields: keepAliveFields(limits.idleTimeoutMs),
          onStream,
          isLastCall: () => isLastCall,
          written,
          handOver(connection: PlainConnection) {
            connections.delete(connection);
            toNode(connection.socket);
          },
          refuse: (socket: Socket, fault: RequestFault, hasAnswerBegun: boolean) =>
            refuseRequest(socket, fault, hasAnswerBegun, limits),
        };

  return {
    accept(duplex) {
      const socket = duplex as Socket;
      sweepTimer ??= setInterval(sweep, sweepMs).unref();
      let given: PlainConnection | undefined;
      socket.once("close", () => {
        const connection = nodeConnections.get(socket) ?? given;
        if (connection !== undefined) connections.delete(connection);
        if (connections.size > 0) return;
        checkUnread();
        clearInterval(sweepTimer);
        sweepTimer = undefined;
      });
      if (plain === undefined) toNode(socket);
      else {
        given = new PlainConnection(socket, plain);
        connections.add(given);
      }
    },
    announceDrain() {
      isLastCall = true;
    },
    drain(lingerMs) {
      isLastCall = true;
      closeTimer ??= setTimeout(closeIdle, lingerMs).unref();
    },
    abort(reason) {
      clearTimeout(closeTimer);
      for (const connection of connections) connection.cancel?.(reason);
      node.abort(reason);
      for (const connection of connections) connection.socket.destroy();
    },
  };
}
