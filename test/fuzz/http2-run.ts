/** Runs fuzz cases against an engine on real sockets. */
import { once } from "node:events";
import net from "node:net";
import { FRAME_HEADER_BYTES, GOAWAY, PING, readUint24 } from "../../src/http2/frame/frame.ts";
import type { ServerStream } from "../../src/http2/stream.ts";
import { frame } from "../support/clients/raw-http2-client.ts";
import { DONE, echo, type ListeningEngine, listen, OK } from "../support/servers/http2-server.ts";
import { fuzzCase } from "./http2-case.ts";

const HANG_MS = 10_000;
const PROBE = Buffer.from("fuzz-end", "latin1");
const LARGE = Buffer.alloc(200_000);

/** Handlers of every temper, by path. */
function handle(stream: ServerStream): void {
  if (stream.path === "/early") stream.respond(404, OK, true);
  else if (stream.path === "/reset") stream.reset(2);
  else if (stream.path === "/large") {
    stream.respond(200, OK);
    let left = 5;
    const fill = () => {
      while (left-- > 0) if (!stream.write(LARGE)) return;
      stream.trailers(DONE);
    };
    stream.onDrain = fill;
    fill();
  } else if (stream.path === "/trailers") {
    setImmediate(() => {
      stream.onData = (bytes, end) => {
        stream.consume(bytes.length);
        if (end) stream.trailers(DONE);
      };
      stream.respond(200, OK);
      stream.write(Buffer.from("late"));
    });
  } else if (stream.path !== "/silent") echo(stream);
}

export interface FuzzTarget extends ListeningEngine {
  /** Runs the case of a seed; throws, naming the seed, when the engine hangs, throws or keeps something. */
  run(seed: number): Promise<void>;
}

/** Starts an engine to fuzz; its caller stops it. */
export async function createFuzzTarget(): Promise<FuzzTarget> {
  const server = await listen(handle);

  async function run(seed: number): Promise<void> {
    const { chunks, ending } = fuzzCase(seed);
    const socket = net.connect({ port: server.port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    const late = setTimeout(
      () => socket.destroy(new Error(`seed ${seed}: no answer in ${HANG_MS} ms`)),
      HANG_MS,
    );
    let failure: Error | undefined;
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // The engine may close while the client still sends.
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") failure = error;
    });
    await once(socket, "connect");
    const answered = untilAnswered(socket);
    for (const chunk of chunks) {
      if (socket.destroyed) break;
      if (!socket.write(chunk))
        await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => {});
      else await new Promise((resolve) => setImmediate(resolve));
    }
    if (ending === "end") socket.end();
    else if (ending === "destroy") socket.destroy();
    else {
      // A PING, in case nothing was wrong; a frame cut off before may swallow it, then the end of the stream shows.
      socket.write(frame(PING, 0, 0, PROBE));
      socket.end();
    }
    await answered;
    socket.destroy();
    clearTimeout(late);
    while (server.engine.counters.connectionsOpen > 0) await new Promise((resolve) => setImmediate(resolve));
    if (failure !== undefined) throw failure;
    if (server.errors.length > 0) throw new Error(`seed ${seed}`, { cause: server.errors[0] });
    if (server.engine.openStreams > 0)
      throw new Error(`seed ${seed}: ${server.engine.openStreams} streams are left`);
  }

  return { ...server, run };
}

/** Reads frames, each of a sane length, until the engine ends the connection. */
function untilAnswered(socket: net.Socket): Promise<void> {
  let buffered: Buffer = Buffer.alloc(0);
  let gone = false;
  return new Promise((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
      while (buffered.length >= FRAME_HEADER_BYTES) {
        const length = readUint24(buffered, 0);
        const type = buffered[3]!;
        if (type > GOAWAY + 2 || gone)
          socket.destroy(new Error(`frame of type ${type} ${gone ? "after GOAWAY" : ""}`));
        if (buffered.length < FRAME_HEADER_BYTES + length) return;
        gone = type === GOAWAY;
        buffered = buffered.subarray(FRAME_HEADER_BYTES + length);
      }
    });
    socket.on("end", () => resolve());
    socket.on("close", () => resolve());
  });
}
