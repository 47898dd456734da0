/**
 * The one port. Comes in: TCP connections, cleartext or TLS. Goes out: each to the engine of the HTTP version it speaks.
 * Promises: cleartext is told by its first bytes, however they are split, TLS by ALPN; TLS on a port without it and cleartext on one
 * with it are told so; what is neither is closed without an answer; first bytes and handshakes have a time, connections a number; `drain` resets nothing before its limit.
 */
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Log } from "../../telemetry/log.ts";
import type { EdgeLimits } from "../call/limits.ts";
import {
  connectionRefusal,
  type FirstBytes,
  firstBytes,
  Seldom,
  wrongEncryption,
} from "./connection-start.ts";
import type { Engine } from "./engine.ts";
import { closeGently } from "./gentle-close.ts";
import { OpenFiles } from "./open-files.ts";
import { connectionsPerPeer, Peers, peerOf } from "./peers.ts";

/** PEM texts; with `clientCa`, clients must bring a certificate of one of these authorities. */
export interface TlsOptions {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
}

/** The listening socket and its connections; whoever made it closes it. */
export interface Listener {
  listen(host: string, port: number): Promise<AddressInfo>;
  readonly connectionCount: number;
  /** Takes no more connections, lets calls end, and ends what is left after `timeoutMs`; true where nothing was left. */
  drain(timeoutMs: number): Promise<boolean>;
  /** Takes connections and serves everything, while peers are told that the end comes. */
  announceDrain(): void;
  /** Ends everything at once. */
  close(): Promise<void>;
}

/** What a listener is made of. */
export interface ListenerOptions {
  readonly http1: Engine;
  readonly http2: Engine;
  readonly limits: EdgeLimits;
  readonly tls: TlsOptions | undefined;
  readonly log: Log;
}

/** Refused connections are answered politely only while there are few of them. */
const MAX_POLITE_REFUSALS = 64;
/** How long a peer that is idle has after the announcement for a call that is on its way. */
const LINGER_MS = 1000;
const MIN_LINGER_MS = 100;

/** What first bytes say once there are enough of them. */
type Spoken = Exclude<FirstBytes, "more">;

/** Makes the listener; nothing listens yet. */
export function createListener(options: ListenerOptions): Listener {
  const { http1, http2, limits, tls, log } = options;
  const engines = { http1, http2 };
  const sockets = new Set<Socket>();
  /** Those that have not said yet what they speak. */
  const silent = new Set<Socket>();
  /** Those that are refused, by their peers' ends, and why; they are not counted among the served. */
  const refused = new Map<string, string>();
  const peers = new Peers();
  let served = 0;
  const maxPerPeer = connectionsPerPeer(limits.maxConnectionsPerPeer, limits.maxConnections);
  const openFiles = new OpenFiles();
  let announcedAtMs: number | undefined;
  let onEmpty = () => {};
  let lastRefusal = "";
  const refusals = new Seldom((times) => log.warn({ times }, `a connection was refused: ${lastRefusal}`));
  let lastFailure = "";
  const failures = new Seldom((times) =>
    log.error({ times, error: lastFailure }, "the listener could not take a connection, and goes on"),
  );

  let lastMistake = "";
  const mistakes = new Seldom((times) => log.warn({ times }, lastMistake));

  const server: Server = createServer({ allowHalfOpen: true, noDelay: true });
  const secured = tls === undefined ? undefined : tlsServer(tls, limits);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    const leave = admit(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      silent.delete(socket);
      leave();
      if (sockets.size === 0) onEmpty();
    });
    if (!socket.destroyed) sniff(socket, secured === undefined ? handCleartext : handEncrypted);
  });
  secured?.on("secureConnection", (socket) => {
    socket.on("error", () => socket.destroy());
    if (socket.alpnProtocol === false) sniff(socket, hand);
    else hand(socket, socket.alpnProtocol === "h2" ? "http2" : "http1");
  });
  secured?.on("tlsClientError", (error, socket) => {
    log.debug({ error: error.message }, "TLS handshake failed");
    socket.destroy();
  });

  /** Counts a connection among those that are served, or notes why it is not; gives what to do when it closes. */
  function admit(socket: Socket): () => void {
    const peer = peerOf(socket.remoteAddress);
    const why = refusalOf(peer);
    if (why === undefined) {
      served++;
      peers.add(peer);
      return () => {
        served--;
        peers.remove(peer);
      };
    }
    lastRefusal = why;
    refusals.happened();
    const end = endOf(socket);
    if (refused.size >= MAX_POLITE_REFUSALS) socket.destroy();
    else refused.set(end, why);
    return () => refused.delete(end);
  }

  /** Why one more connection of a peer is not served, or undefined. */
  function refusalOf(peer: string): string | undefined {
    const openFilesAllow = openFiles.maxConnections(sockets.size, performance.now());
    const most = Math.min(limits.maxConnections, openFilesAllow);
    if (served >= most) {
      const which =
        most === limits.maxConnections
          ? "max-connections"
          : `its limit of open files is ${openFiles.limit}: ulimit -n`;
      return `the server has ${most} connections and takes no more (${which})`;
    }
    if (peers.count(peer) < maxPerPeer) return undefined;
    return `${maxPerPeer} connections came from one address, which gets no more (max-connections-per-peer)`;
  }

  function sniff(socket: Socket, then: (socket: Socket, kind: Spoken) => void): void {
    silent.add(socket);
    let bytes: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => socket.destroy(), limits.headerTimeoutMs);
    const stop = () => {
      clearTimeout(timer);
      socket.off("data", take);
      socket.off("end", give);
      socket.off("close", stop);
    };
    const give = () => socket.destroy();
    const take = (chunk: Buffer) => {
      silent.delete(socket);
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const kind = firstBytes(bytes, limits.maxHeaderListBytes);
      if (kind === "more") return;
      stop();
      socket.pause();
      socket.unshift(bytes);
      then(socket, kind);
    };
    socket.on("data", take);
    socket.once("end", give);
    socket.once("close", stop);
  }

  /** On a port without TLS. */
  function handCleartext(socket: Socket, kind: Spoken): void {
    if (kind === "tls") refuseEncryption(socket, kind);
    else hand(socket, kind);
  }

  /** On a port with TLS, which begins with the octets that were put back. */
  function handEncrypted(socket: Socket, kind: Spoken): void {
    if (kind === "tls") secured!.emit("connection", socket);
    else if (kind === "unknown") socket.destroy();
    else refuseEncryption(socket, kind);
  }

  function refuseEncryption(socket: Socket, came: "http1" | "http2" | "tls"): void {
    const { message, answer } = wrongEncryption(came);
    lastMistake = message;
    mistakes.happened();
    socket.write(answer);
    closeGently(socket);
  }

  function hand(socket: Socket, kind: Spoken): void {
    const why = refused.get(endOf(socket));
    if (kind === "unknown" || kind === "tls") {
      socket.destroy();
    } else if (why === undefined) {
      engines[kind].accept(socket);
    } else {
      socket.end(connectionRefusal(kind, why));
      socket.setTimeout(limits.headerTimeoutMs, () => socket.destroy());
      socket.resume();
    }
  }

  function announceDrain(): void {
    announcedAtMs ??= performance.now();
    http1.announceDrain();
    http2.announceDrain();
  }

  /** Engines let their idle peers go after what is left of the linger; so are those that have not said a word. */
  function startDrain(timeoutMs: number): void {
    announceDrain();
    const left = LINGER_MS - (performance.now() - announcedAtMs!);
    const lingerMs = Math.min(Math.max(left, MIN_LINGER_MS), timeoutMs / 2);
    http1.drain(lingerMs);
    http2.drain(lingerMs);
    setTimeout(() => {
      for (const socket of silent) closeGently(socket);
    }, lingerMs).unref();
  }

  function emptied(): Promise<void> {
    if (sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const next = onEmpty;
      onEmpty = () => {
        resolve();
        next();
      };
    });
  }

  function end(): void {
    for (const engine of [http1, http2]) engine.abort({ kind: "drain-limit" });
    for (const socket of sockets) socket.destroy();
  }

  return {
    get connectionCount() {
      return sockets.size;
    },
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once("error", (cause) => reject(cannotListen(host, port, cause)));
        server.listen(port, host, () => {
          server.removeAllListeners("error");
          server.on("error", (error) => {
            lastFailure = error.message;
            failures.happened();
          });
          resolve(server.address() as AddressInfo);
        });
      }),
    announceDrain,
    async drain(timeoutMs) {
      const closed = stopListening(server);
      startDrain(timeoutMs);
      const inTime = await within(emptied(), timeoutMs);
      end();
      await closed;
      await emptied();
      return inTime;
    },
    async close() {
      const closed = stopListening(server);
      end();
      await closed;
      await emptied();
    },
  };
}

/** A peer's end of a connection: what a socket and the TLS socket over it have in common. */
function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function tlsServer(tls: TlsOptions, limits: EdgeLimits): TlsServer {
  const { cert, key, clientCa } = tls;
  return createTlsServer({
    cert,
    key,
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout: limits.headerTimeoutMs,
    minVersion: "TLSv1.2",
    allowHalfOpen: true,
  });
}

function stopListening(server: Server): Promise<void> {
  return server.listening ? new Promise((resolve) => server.close(() => resolve())) : Promise.resolve();
}

/** False where `work` takes longer than `timeoutMs`. */
function within(work: Promise<void>, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    work.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): AssayError {
  const where = `${host} port ${port}`;
  const why =
    cause.code === "EADDRINUSE"
      ? `${where} is taken: end what listens there, or choose another with --port (0 takes a free one)`
      : cause.code === "EACCES"
        ? `${where} is not allowed for this user: choose a --port above 1023`
        : cause.code === "EADDRNOTAVAIL" || cause.code === "ENOTFOUND"
          ? `${host} is no address of this machine: choose another --host`
          : `cannot listen on ${where}: ${cause.message}`;
  return new AssayError(Reason.CONFIG_INVALID, why, { cause });
}
