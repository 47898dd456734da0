/**
 * The one port. Comes in: TCP connections, cleartext or TLS. Goes out: each to the engine of the HTTP version it speaks.
 * Promises: cleartext is told by its first bytes, however they are split, TLS by ALPN; TLS on a port without it and cleartext on one
 * with it are told so; what is neither is closed without an answer; first bytes and handshakes have a time, connections a number; `drain` resets nothing before its limit.
 */

import type { AddressInfo, Server, Socket } from "node:net";
import { createServer } from "node:net";
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type Server as TlsServer,
} from "node:tls";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { type Member, Members } from "../../http2/members.ts";
import { limitHit } from "../../limits.ts";
import type { Log } from "../../telemetry/log.ts";
import type { EdgeLimits } from "../call/limits.ts";
import { connectionRefusal, Seldom, wrongEncryption } from "./connection-start.ts";
import type { Engine } from "./engine.ts";
import { readFirstBytes, type Spoken } from "./first-bytes.ts";
import { closeGently, letOneWait, quietTurn } from "./gentle-close.ts";
import { OpenFiles } from "./open-files.ts";
import { type ConnectionCounts, connectionsPerPeer, Peers, peerOf } from "./peers.ts";
import { SharedConnectionCounts, type SharedPort } from "./shared-port.ts";

/** PEM texts; with `clientCa`, clients must bring a certificate of one of these authorities. */
export interface TlsOptions {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
}

/** What a listener is made of. */
export interface ListenerOptions {
  readonly http1: Engine;
  readonly http2: Engine;
  readonly limits: EdgeLimits;
  readonly tls: TlsOptions | undefined;
  /** Undefined: the listener owns its port alone. */
  readonly sharedPort?: SharedPort | undefined;
  readonly log: Log;
}

/** Refused connections are answered politely only while there are few of them. */
const MAX_POLITE_REFUSALS = 64;
/** How long a peer that is idle has after the announcement for a call that is on its way. */
const LINGER_MS = 1000;
const MIN_LINGER_MS = 100;

/** A connection, of TLS or under it. */
interface OpenSocket extends Member {
  readonly socket: Socket;
}

/** Makes the listener; nothing listens yet. */
export function createListener(options: ListenerOptions): Listener {
  return new Listener(options);
}

/** The listening socket and its connections; whoever made it closes it. */
class Listener {
  private readonly engines: { readonly http1: Engine; readonly http2: Engine };
  private readonly limits: EdgeLimits;
  private readonly maxPerPeer: number;
  private readonly server: Server = createServer({ allowHalfOpen: true, noDelay: true });
  private readonly secured: TlsServer | undefined;
  private readonly sockets = new Members<OpenSocket>();
  /** Those that have not said yet what they speak. */
  private readonly silent = new Members<OpenSocket>();
  /** Those that are refused, by their peers' ends, and why; they are not counted among the served. */
  private readonly refused = new Map<string, string>();
  private readonly sharedPort: SharedPort | undefined;
  /** With those of the other listeners of the port. */
  private readonly connections: ConnectionCounts;
  private readonly openFiles = new OpenFiles();
  private readonly refusals: Seldom;
  private readonly failures: Seldom;
  private readonly mistakes: Seldom;
  private served = 0;
  /** Connections since the start, refused ones too. */
  private taken = 0;
  /** Connections that were refused since the start. */
  refusedCount = 0;
  private announcedAtMs: number | undefined;
  private onEmpty: () => void = nothing;
  private lastRefusal = "";
  private lastFailure = "";
  private lastMistake = "";

  constructor({ http1, http2, limits, tls, sharedPort, log }: ListenerOptions) {
    this.sharedPort = sharedPort;
    this.connections = sharedPort === undefined ? new Peers() : new SharedConnectionCounts(sharedPort);
    this.engines = { http1, http2 };
    this.limits = limits;
    this.maxPerPeer = connectionsPerPeer(limits.maxConnectionsPerPeer, limits.maxConnections);
    this.refusals = new Seldom((times) =>
      log.warn({ times }, `a connection was refused: ${this.lastRefusal}`),
    );
    this.failures = new Seldom((times) =>
      log.error({ times, error: this.lastFailure }, "the listener could not take a connection, and goes on"),
    );
    this.mistakes = new Seldom((times) => log.warn({ times }, this.lastMistake));
    this.secured = tls === undefined ? undefined : tlsServer(tls, limits);
    this.server.on("connection", (socket: Socket) => this.take(socket));
    this.secured?.on("secureConnection", (socket) => {
      socket.on("error", () => socket.destroy());
      if (socket.alpnProtocol === false) this.sniff(socket, (kind) => this.hand(socket, kind));
      else this.hand(socket, socket.alpnProtocol === "h2" ? "http2" : "http1");
    });
    this.secured?.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      if (error.code === "ERR_TLS_HANDSHAKE_TIMEOUT") limitHit("header-timeout-ms");
      log.debug({ error: error.message }, "TLS handshake failed");
      socket.destroy();
    });
  }

  get connectionCount(): number {
    return this.sockets.size;
  }

  /** Connections that come from now on are served with these; those that are open keep what they have. */
  renewTls(tls: TlsOptions): void {
    this.secured?.setSecureContext(secureContext(tls));
  }

  async listen(host: string, port: number): Promise<AddressInfo> {
    const { server, sharedPort } = this;
    const reusePort = sharedPort !== undefined;
    if (sharedPort?.place === 0 && port !== 0) await checkFree(host, port);
    return await new Promise((resolve, reject) => {
      server.once("error", (cause) => reject(cannotListen(host, port, cause)));
      server.listen({ port, host, reusePort }, () => {
        server.removeAllListeners("error");
        server.on("error", (error) => {
          this.lastFailure = error.message;
          this.failures.happened();
        });
        resolve(server.address() as AddressInfo);
      });
    });
  }

  /** Takes connections and serves everything, while peers are told that the end comes. */
  announceDrain(): void {
    this.announcedAtMs ??= performance.now();
    this.engines.http1.announceDrain();
    this.engines.http2.announceDrain();
  }

  /** Takes no more connections, lets calls end, and ends what is left after `timeoutMs`; true where nothing was left. */
  async drain(timeoutMs: number): Promise<boolean> {
    // What is answered from now on is the last of its connection.
    this.announceDrain();
    letOneWait(this.server);
    await quietTurn(() => this.taken);
    const closed = stopListening(this.server);
    this.startDrain(timeoutMs);
    const inTime = await within(this.emptied(), timeoutMs);
    this.end();
    await closed;
    await this.emptied();
    return inTime;
  }

  /** Ends everything at once. */
  async close(): Promise<void> {
    const closed = stopListening(this.server);
    this.end();
    await closed;
    await this.emptied();
  }

  private take(socket: Socket): void {
    this.taken++;
    const taken: OpenSocket = { socket, place: -1 };
    this.sockets.add(taken);
    socket.on("error", () => socket.destroy());
    const leave = this.admit(socket);
    socket.once("close", () => {
      this.sockets.delete(taken);
      leave();
      if (this.sockets.size === 0) this.onEmpty();
    });
    if (socket.destroyed) return;
    this.sniff(socket, (kind) => {
      if (this.secured === undefined) this.handCleartext(socket, kind);
      else this.handEncrypted(socket, kind, this.secured);
    });
  }

  /** Counts a connection among those that are served, or notes why it is not; gives what to do when it closes. */
  private admit(socket: Socket): () => void {
    const peer = peerOf(socket.remoteAddress);
    const why = this.refusalOf(peer);
    if (why === undefined) {
      this.served++;
      this.connections.add(peer);
      return () => {
        this.served--;
        this.connections.remove(peer);
      };
    }
    this.lastRefusal = why;
    this.refusedCount++;
    this.refusals.happened();
    const end = endOf(socket);
    if (this.refused.size >= MAX_POLITE_REFUSALS) socket.destroy();
    else this.refused.set(end, why);
    return () => this.refused.delete(end);
  }

  /** Why one more connection of a peer is not served, or undefined. */
  private refusalOf(peer: string): string | undefined {
    const { openFiles, maxPerPeer } = this;
    const { maxConnections } = this.limits;
    const served = this.connections.total;
    const elsewhere = served - this.served;
    const openFilesAllow = openFiles.maxConnections(this.sockets.size + elsewhere, performance.now());
    const most = Math.min(maxConnections, openFilesAllow);
    if (served >= most) {
      limitHit(most === maxConnections ? "max-connections" : "open-files");
      const which =
        most === maxConnections
          ? "max-connections"
          : `its limit of open files is ${openFiles.limit}: ulimit -n`;
      return `the server has ${most} connections and takes no more (${which})`;
    }
    if (this.connections.ofPeer(peer) < maxPerPeer) return undefined;
    limitHit("max-connections-per-peer");
    return `${maxPerPeer} connections came from one address, which gets no more (max-connections-per-peer)`;
  }

  private sniff(socket: Socket, then: (kind: Spoken) => void): void {
    const silent: OpenSocket = { socket, place: -1 };
    this.silent.add(silent);
    readFirstBytes(socket, this.limits, { said: () => this.silent.delete(silent), then });
  }

  /** On a port without TLS. */
  private handCleartext(socket: Socket, kind: Spoken): void {
    if (kind === "tls") this.refuseEncryption(socket, kind);
    else this.hand(socket, kind);
  }

  /** On a port with TLS, which begins with the octets that were put back. */
  private handEncrypted(socket: Socket, kind: Spoken, secured: TlsServer): void {
    if (kind === "tls") secured.emit("connection", socket);
    else if (kind === "unknown") socket.destroy();
    else this.refuseEncryption(socket, kind);
  }

  private refuseEncryption(socket: Socket, came: "http1" | "http2" | "tls"): void {
    const { message, answer } = wrongEncryption(came);
    this.lastMistake = message;
    this.mistakes.happened();
    socket.write(answer);
    closeGently(socket);
  }

  private hand(socket: Socket, kind: Spoken): void {
    const why = this.refused.get(endOf(socket));
    if (kind === "unknown" || kind === "tls") {
      socket.destroy();
    } else if (why === undefined) {
      this.engines[kind].accept(socket);
    } else {
      socket.end(connectionRefusal(kind, why));
      socket.setTimeout(this.limits.headerTimeoutMs, () => socket.destroy());
      socket.resume();
    }
  }

  /** Engines let their idle peers go after what is left of the linger; so are those that have not said a word. */
  private startDrain(timeoutMs: number): void {
    this.announceDrain();
    const left = LINGER_MS - (performance.now() - this.announcedAtMs!);
    const lingerMs = Math.min(Math.max(left, MIN_LINGER_MS), timeoutMs / 2);
    this.engines.http1.drain(lingerMs);
    this.engines.http2.drain(lingerMs);
    setTimeout(() => {
      for (const { socket } of this.silent) closeGently(socket);
    }, lingerMs).unref();
  }

  private emptied(): Promise<void> {
    if (this.sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const next = this.onEmpty;
      const emptied = () => {
        resolve();
        next();
      };
      this.onEmpty = emptied;
    });
  }

  private end(): void {
    const { http1, http2 } = this.engines;
    for (const engine of [http1, http2]) engine.abort({ kind: "drain-limit" });
    for (const { socket } of this.sockets) socket.destroy();
  }
}

function nothing(): void {}

/** A peer's end of a connection: what a socket and the TLS socket over it have in common. */
function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function tlsServer(tls: TlsOptions, limits: EdgeLimits): TlsServer {
  return createTlsServer({
    ...secureContext(tls),
    ...(tls.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout: limits.headerTimeoutMs,
    allowHalfOpen: true,
  });
}

function secureContext({ cert, key, clientCa }: TlsOptions): SecureContextOptions {
  return { cert, key, minVersion: "TLSv1.2", ...(clientCa === undefined ? {} : { ca: clientCa }) };
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

/**
 * Rejects where anybody listens on the port: listeners that share ports would be let in beside others of the same user, and get a
 * part of their connections.
 */
async function checkFree(host: string, port: number): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", (cause) => reject(cannotListen(host, port, cause)));
    probe.listen(port, host, () => probe.close(() => resolve()));
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
          : cause.code === "ENOTSUP"
            ? `this system lets one listener own ${where}, where several edges need SO_REUSEPORT: leave --edges at 1`
            : `cannot listen on ${where}: ${cause.message}`;
  return new AssayError(Reason.CONFIG_INVALID, why, { cause });
}
