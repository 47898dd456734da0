import { once } from "node:events";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { connect as connectTcp } from "node:net";
import { grpcFrame } from "./fault.ts";

/** An answer over HTTP/1.1; status 0 where none came. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

const NO_ANSWER: Answer = { status: 0, text: "", headers: new Headers() };

/** POSTs a body; resolves without an answer after a time, or where the connection is lost. */
export async function post(
  url: string,
  body: Uint8Array<ArrayBuffer> | string,
  headers: Record<string, string> = {},
  timeoutMs = 30_000,
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
      signal: AbortSignal.timeout(timeoutMs),
      redirect: "manual",
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  } catch {
    return NO_ANSWER;
  }
}

/** POSTs JSON to a method of a service. */
export function connectJson(url: string, method: string, message: unknown): Promise<Answer> {
  return post(`${url}/assay.v1.${method}`, typeof message === "string" ? message : JSON.stringify(message));
}

/** What a gRPC call came to; code -1 where it did not end. */
export interface GrpcAnswer {
  readonly code: number;
  readonly message: string;
  /** The octets of the trailers' names and values. */
  readonly trailerBytes: number;
  /** Whether the status stood in the only header block. */
  readonly trailersOnly: boolean;
  readonly messages: number;
}

/** An HTTP/2 session whose errors are no news; the caller destroys it. */
export function session(url: string): ClientHttp2Session {
  const opened = connect(url);
  opened.on("error", () => {});
  return opened;
}

/** Sends one gRPC message, or frames that are made already, and waits for the end of the call. */
export async function grpcCall(
  client: ClientHttp2Session,
  method: string,
  message: Uint8Array | { frames: Uint8Array },
  options: { headers?: Record<string, string>; gzip?: boolean; timeoutMs?: number } = {},
): Promise<GrpcAnswer> {
  const stream = client.request({
    ":method": "POST",
    ":path": `/assay.v1.${method}`,
    "content-type": "application/grpc",
    te: "trailers",
    ...(options.gzip === true ? { "grpc-encoding": "gzip" } : {}),
    ...options.headers,
  });
  let trailers: IncomingHttpHeaders = {};
  let trailersOnly = false;
  let octets = 0;
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => {
    octets += chunk.length;
  });
  stream.on("response", (headers) => {
    trailersOnly = headers["grpc-status"] !== undefined;
    if (trailersOnly) trailers = headers;
  });
  stream.on("trailers", (headers) => {
    trailers = headers;
  });
  stream.end("frames" in message ? message.frames : grpcFrame(message, options.gzip));
  const timer = setTimeout(() => stream.close(8), options.timeoutMs ?? 30_000);
  if (!stream.closed) await once(stream, "close").catch(() => {});
  clearTimeout(timer);
  const texts = Object.entries(trailers).map(([name, value]) => name.length + String(value).length);
  return {
    code: Number(trailers["grpc-status"] ?? -1),
    message: decodeURIComponent(String(trailers["grpc-message"] ?? "")),
    trailerBytes: texts.reduce((sum, length) => sum + length, 0),
    trailersOnly,
    messages: octets,
  };
}

/** Sends text on a new connection and resolves with what came until the peer closed it or the time is over. */
export async function rawExchange(port: number, text: string | Buffer, timeoutMs = 3_000): Promise<string> {
  const socket = connectTcp(port, "127.0.0.1");
  let came = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    came += chunk;
  });
  socket.on("error", () => {});
  socket.write(text);
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  await once(socket, "close");
  clearTimeout(timer);
  return came;
}

/** Whether the server still scores a row of the iris model. */
export async function scoresIris(url: string, timeoutMs = 10_000): Promise<boolean> {
  const body = JSON.stringify({ features: [5.1, 3.5, 1.4, 0.2] });
  return (await post(`${url}/predict/iris`, body, {}, timeoutMs)).status === 200;
}
