import { type ClientHttp2Session, connect, constants } from "node:http2";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { foreignServer, useTls } from "./foreign-server.ts";
import type { ServerUrl } from "./server-url.ts";

// Answers to rows that were sent never wait for a WINDOW_UPDATE, which would stall the server's batches.
const STREAM_WINDOW_BYTES = 8_388_608;
const CONNECTION_WINDOW_BYTES = 16_777_216;
const MAX_SESSION_MEMORY_MB = 64;
const MOST_DEBUG_CHARACTERS = 300;

/** Options of making and keeping a connection. */
export interface ConnectionOptions {
  readonly url: ServerUrl;
  /** Certificates in PEM that are trusted besides the machine's own; for https alone. */
  readonly certificateAuthorities?: string;
  /** Sent with each call; undefined: none. */
  readonly key?: string | undefined;
  readonly connectTimeoutMs: number;
  /** Silence after which a PING asks whether the server is there, and how long its answer may take. */
  readonly keepaliveMs: number;
}

/** Connects; rejects with SERVER_UNREACHABLE, which says what is wrong with the address or what listens there. */
export async function openConnection(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
  const connection = new Connection(options);
  await connection.open(signal);
  return connection;
}

/** An HTTP/2 connection with large windows, made by `openConnection`; whoever opened it destroys or closes it. */
export class Connection {
  readonly session: ClientHttp2Session;
  /** Resolves once the socket is closed. */
  readonly closed: Promise<void>;
  /** Why the connection ended, where it knows more than its streams do. */
  failure: AssayError | undefined;
  /** Called once when the server takes no new streams on it. */
  onGoAway: () => void = nothing;
  private readonly options: ConnectionOptions;
  private lastError: Error | undefined;
  private sentAway: AssayError | undefined;
  private isToldToGo = false;
  private pinging: NodeJS.Timeout | undefined;
  private overdue: NodeJS.Timeout | undefined;

  constructor(options: ConnectionOptions) {
    this.options = options;
    this.session = connect(options.url.origin, {
      settings: { initialWindowSize: STREAM_WINDOW_BYTES, enablePush: false },
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      ...(options.certificateAuthorities === undefined ? {} : { ca: options.certificateAuthorities }),
    });
    this.session.on("error", (error: Error) => {
      this.lastError ??= error;
      this.failure ??= lost(options.url, error);
    });
    this.session.on("goaway", (code: number, _lastId: number, debug?: Buffer) => this.goAway(code, debug));
    this.closed = new Promise((resolve) => this.session.once("close", resolve));
    this.session.once("close", () => this.keepAlive(false));
  }

  /** The server takes no new streams on it. */
  get isGoingAway(): boolean {
    return this.isToldToGo || this.session.closed;
  }

  /** Waits for the server; called once, by `openConnection`. */
  async open(signal: AbortSignal): Promise<void> {
    const { session, options } = this;
    const abort = () => session.destroy();
    signal.addEventListener("abort", abort, { once: true });
    const timer = setTimeout(
      () => this.fail(`no connection within ${options.connectTimeoutMs} ms`),
      options.connectTimeoutMs,
    );
    try {
      await settled(session, this.closed);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
    if (session.destroyed) throw await this.whyNotOpen(signal);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  }

  /** PINGs are sent while `wanted` is true. */
  keepAlive(wanted: boolean): void {
    if (!wanted) {
      clearInterval(this.pinging);
      clearTimeout(this.overdue);
      this.pinging = this.overdue = undefined;
    } else if (this.pinging === undefined && !this.session.destroyed) {
      this.pinging = setInterval(() => this.ping(), this.options.keepaliveMs);
    }
  }

  /** Ends it at once. */
  destroy(): void {
    this.session.destroy();
  }

  private async whyNotOpen(signal: AbortSignal): Promise<AssayError> {
    if (signal.aborted) return new AssayError(Reason.CANCELLED, "the scorer was closed");
    if (this.sentAway !== undefined) return this.sentAway;
    const { url } = this.options;
    const foreign = await foreignServer(url, this.lastError, signal);
    return foreign ?? this.failure ?? unreachable(url, "the connection was closed");
  }

  private goAway(code: number, debug: Buffer | undefined): void {
    if (code !== constants.NGHTTP2_NO_ERROR) {
      const { url } = this.options;
      const tls = code === constants.NGHTTP2_INADEQUATE_SECURITY && !url.isSecure;
      this.sentAway ??= unreachable(
        url,
        tls ? useTls(url) : `the server ended the connection${why(code, debug)}`,
      );
      this.failure ??= this.sentAway;
    }
    if (this.isToldToGo) return;
    this.isToldToGo = true;
    this.onGoAway();
  }

  private ping(): void {
    const { session, options } = this;
    if (this.overdue !== undefined || session.destroyed) return;
    this.overdue = setTimeout(
      () => this.fail(`no answer to a PING within ${options.keepaliveMs} ms, the connection is dead`),
      options.keepaliveMs,
    );
    session.ping(() => {
      clearTimeout(this.overdue);
      this.overdue = undefined;
    });
  }

  private fail(what: string): void {
    this.failure ??= unreachable(this.options.url, what);
    this.session.destroy();
  }
}

function nothing(): void {}

/** Resolves once the server's first SETTINGS came, which only an HTTP/2 server sends, or the session has ended. */
function settled(session: ClientHttp2Session, closed: Promise<void>): Promise<void> {
  const came = new Promise<void>((resolve) => session.once("remoteSettings", () => resolve()));
  return Promise.race([came, closed]);
}

function unreachable(url: ServerUrl, what: string, cause?: unknown): AssayError {
  return new AssayError(Reason.SERVER_UNREACHABLE, `${url.origin}: ${what}`, { cause });
}

function lost(url: ServerUrl, error: Error): AssayError {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  switch (code) {
    case "ECONNREFUSED":
      return unreachable(
        url,
        "nothing listens there (ECONNREFUSED): is the server started, on this port?",
        error,
      );
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return unreachable(url, `the name ${url.host} cannot be resolved (${code})`, error);
    case "ECONNRESET":
    case "EPIPE":
      return unreachable(url, `the connection was cut (${code})`, error);
    default:
      // Where several addresses were tried, the message is empty.
      return unreachable(url, error.message || code, error);
  }
}

/** GOAWAY's code, and what the server says to it. */
function why(code: number, debug: Buffer | undefined): string {
  const text =
    debug
      ?.toString("latin1")
      .replace(/[^ -~]/g, "")
      .slice(0, MOST_DEBUG_CHARACTERS) ?? "";
  return text === "" ? ` with code ${code}` : ` with code ${code}: ${text}`;
}
