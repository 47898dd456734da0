import net, { type Socket } from "node:net";
import tls from "node:tls";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { ServerUrl } from "../../scorer/remote/server-url.ts";
import type { Failure } from "../failure.ts";

/** A connection that carries calls, each in a slot. */
export interface CallConnection {
  call(slot: number): void;
  /** Nothing is told of this call any more. */
  abandon(slot: number): void;
  /** Ends it at once, without a word. */
  close(): void;
}

/** What a connection tells. */
export interface ConnectionHandlers {
  onAnswer(slot: number, failure: Failure | undefined): void;
  /** It takes no more calls, and why; told before those that failed with it. */
  onLost(why: string): void;
}

/** Opens a connection; rejects with SERVER_UNREACHABLE. */
export type OpenCallConnection = (handlers: ConnectionHandlers) => Promise<CallConnection>;

/** Where connections go: addresses that were judged, one of which listens. */
export interface ConnectionTarget {
  readonly url: ServerUrl;
  readonly addresses: readonly string[];
  readonly httpVersion: "1.1" | "2";
  /** The key or token that calls bring; undefined: none. */
  readonly key?: string | undefined;
}

/** The fields of a call with those that say who calls. */
export function fieldsWithKey(
  fields: readonly (readonly [string, string])[],
  { key }: Pick<ConnectionTarget, "key">,
): readonly (readonly [string, string])[] {
  return key === undefined ? fields : [...fields, ["authorization", `Bearer ${key}`]];
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Connects to the first address that answers, with TLS where the URL asks for it; rejects with SERVER_UNREACHABLE. */
export async function openSocket(target: ConnectionTarget): Promise<Socket> {
  let last: unknown;
  for (const address of target.addresses) {
    try {
      return await connectTo(target, address);
    } catch (error) {
      last = error;
    }
  }
  const { message, code } = last as NodeJS.ErrnoException;
  const why =
    code === "ECONNREFUSED"
      ? "nothing listens there (ECONNREFUSED): is the server started, on this port?"
      : message;
  throw new AssayError(Reason.SERVER_UNREACHABLE, `${target.url.origin}: ${why}`, { cause: last });
}

function connectTo({ url, httpVersion }: ConnectionTarget, host: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { port } = url;
    const socket = url.isSecure
      ? tls.connect({
          host,
          port,
          ...(net.isIP(url.host) === 0 ? { servername: url.host } : {}),
          ALPNProtocols: [httpVersion === "2" ? "h2" : "http/1.1"],
        })
      : net.connect({ host, port });
    socket.setNoDelay(true);
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () =>
      fail(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`)),
    );
    socket.once("error", fail);
    socket.once("close", () => reject(new Error("the connection was closed")));
    socket.once(url.isSecure ? "secureConnect" : "connect", () => {
      socket.setTimeout(0);
      socket.off("error", fail);
      resolve(socket);
    });
  });
}
