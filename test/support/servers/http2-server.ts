/** A listening engine for a test, with what it saw. */
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { createHttp2Engine, type Http2Engine, type Http2EngineOptions } from "../../../src/http2/engine.ts";
import { headerBlock, type ServerStream, type StreamHandler } from "../../../src/http2/stream.ts";

export const OK = headerBlock([["content-type", "application/octet-stream"]]);
export const DONE = headerBlock([["grpc-status", "0"]]);

export interface ListeningEngine {
  readonly port: number;
  readonly engine: Http2Engine;
  /** What handlers threw. */
  readonly errors: unknown[];
  /** Ends the engine; throws when a socket or a stream is left. */
  stop(): Promise<void>;
}

/** Serves `handler` on a port of 127.0.0.1. */
export async function listen(
  handler: StreamHandler,
  options: Omit<Http2EngineOptions, "handler"> = {},
): Promise<ListeningEngine> {
  const errors: unknown[] = [];
  const engine = createHttp2Engine({ handler, onHandlerError: (error) => errors.push(error), ...options });
  const server = net.createServer({ noDelay: true }, (socket) => engine.accept(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    engine,
    errors,
    async stop() {
      const closed = once(server, "close");
      server.close();
      await engine.close();
      await closed;
      if (engine.counters.connectionsOpen !== 0 || engine.openStreams !== 0) {
        throw new Error(`${engine.counters.connectionsOpen} connections are left`);
      }
    },
  };
}

/** Answers with the request's body once it has ended, in gRPC's form: headers, data, trailers. */
export function echo(stream: ServerStream): void {
  const pieces: Buffer[] = [];
  stream.onData = (bytes, end) => {
    pieces.push(Buffer.from(bytes));
    stream.consume(bytes.length);
    if (!end) return;
    stream.respond(200, OK);
    stream.write(Buffer.concat(pieces));
    stream.trailers(DONE);
  };
}
