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
  readonly connectTimeoutMs: number;
  /** Silence after which a PING asks whether the server is there, and how long its answer may take. */
  readonly keepaliveMs: number;
}

/** An HTTP/2 connection with large windows; whoever opened it destroys or closes it. */
export interface Connection {
  readonly session: ClientHttp2Session;
  /** Why the connection ended, where it knows more than its streams do. */
  readonly failure: AssayError | undefined;
  /** The server takes no new streams on it. */
  readonly isGoingAway: boolean;
  /** Called once when the server says so. */
  onGoAway: () => void;
  /** PINGs are sent while this is true. */
  keepAlive(wanted: boolean): void;
  /** Ends it at once. */
  destroy(): void;
  /** Resolves once the socket is closed. */
  readonly closed: Promise<void>;
}

/** Connects; rejects with SERVER_UNREACHABLE, which says what is wrong with the address or what listens there. */
export async function openConnection(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
  const { url } = options;
  const session = connect(url.origin, {
    settings: { initialWindowSize: STREAM_WINDOW_BYTES, enablePush: false },
    maxSessionMemory: MAX_SESSION_MEMORY_MB,
    ...(options.certificateAuthorities === undefined ? {} : { ca: options.certificateAuthorities }),
  });
  let lastError: Error | undefined;
  let failure: AssayError | undefined;
  session.on("error", (error: Error) => {
    lastError ??= error;
    failure ??= lost(url, error);
  });
  let sentAway: AssayError | undefined;
  session.on("goaway", (code: number, _lastId: number, debug?: Buffer) => {
    if (code === constants.NGHTTP2_NO_ERROR) return;
    const tls = code === constants.NGHTTP2_INADEQUATE_SECURITY && !url.isSecure;
    sentAway ??= unreachable(url, tls ? useTls(url) : `the server ended the connection${why(code, debug)}`);
    failure ??= sentAway;
  });
  const closed = new Promise<void>((resolve) => session.once("close", resolve));
  const abort = () => session.destroy();
  signal.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(() => {
    failure ??= unreachable(url, `no connection within ${options.connectTimeoutMs} ms`);
    session.destroy();
  }, options.connectTimeoutMs);
  try {
    await settled(session, closed);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
  if (session.destroyed) {
    if (signal.aborted) throw new AssayError(Reason.CANCELLED, "the scorer was closed");
    if (sentAway !== undefined) throw sentAway;
    const foreign = await foreignServer(url, lastError, signal);
    throw foreign ?? failure ?? unreachable(url, "the connection was closed");
  }
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);

  let isGoingAway = false;
  let pinging: NodeJS.Timeout | undefined;
  let overdue: NodeJS.Timeout | undefined;
  const connection: Connection = {
    session,
    get failure() {
      return failure;
    },
    get isGoingAway() {
      return isGoingAway || session.closed;
    },
    onGoAway: () => {},
    keepAlive(wanted) {
      if (!wanted) {
        clearInterval(pinging);
        clearTimeout(overdue);
        pinging = undefined;
        overdue = undefined;
      } else if (pinging === undefined && !session.destroyed) {
        pinging = setInterval(ping, options.keepaliveMs);
      }
    },
    destroy: () => session.destroy(),
    closed,
  };
  function ping(): void {
    if (overdue !== undefined || session.destroyed) return;
    overdue = setTimeout(() => {
      failure ??= unreachable(
        url,
        `no answer to a PING within ${options.keepaliveMs} ms, the connection is dead`,
      );
      session.destroy();
    }, options.keepaliveMs);
    session.ping(() => {
      clearTimeout(overdue);
      overdue = undefined;
    });
  }
  session.on("goaway", () => {
    if (isGoingAway) return;
    isGoingAway = true;
    connection.onGoAway();
  });
  session.once("close", () => connection.keepAlive(false));
  return connection;
}

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
