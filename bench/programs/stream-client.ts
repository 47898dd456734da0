/**
 * The load of the stream benchmarks: a lean gRPC client on a plain socket. It makes `Predict` items of different rows once, and
 * for each message `{model, rowsPerMessage, rows}` from its parent sends them over a stream, answers counted and checked by
 * their size. Answers with the rows a second. Argument: the server's port.
 */
import { once } from "node:events";
import net from "node:net";
import process from "node:process";
import { create, toBinary } from "@bufbuild/protobuf";
import { PredictStreamRequestSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { DATA } from "../../src/http2/frame/frame.ts";
import { framed } from "../../src/wire/grpc-frame.ts";
import { frame } from "../../test/support/clients/raw-http2-client.ts";
import { benchRows, COLUMNS } from "../models/bench-models.ts";
import { openingFrames, StreamWindows } from "./stream-windows.ts";

const FRAME_BYTES = 16_384;
const OWN_WINDOW = 4_194_304;
const DISTINCT = 65_536;
const port = Number(process.argv[2]);
const features = benchRows(DISTINCT);

/** About `rows` rows on each of `streams` streams (default 1), a connection each, in messages of `rowsPerMessage`. */
interface Job {
  readonly streams?: number;
  readonly model: string;
  readonly rowsPerMessage: number;
  readonly rows: number;
}

/** DATA frames that carry the messages one after another, and how many octets of body each has. */
function framesOf(job: Job): { frames: Buffer[]; lengths: number[] } {
  const pieces: Uint8Array[] = [];
  for (let row = 0; row < DISTINCT; row += job.rowsPerMessage) {
    const values = features.subarray(row * COLUMNS, (row + job.rowsPerMessage) * COLUMNS);
    const rawContents = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const shape = [BigInt(job.rowsPerMessage), BigInt(COLUMNS)];
    const inputs = [{ name: "features", datatype: "FP32", shape, rawContents }];
    const item = { itemId: BigInt(1 + row), request: { modelName: job.model, inputs } };
    const message = toBinary(PredictStreamRequestSchema, create(PredictStreamRequestSchema, item));
    pieces.push(framed(0, message));
  }
  const body = Buffer.concat(pieces);
  const frames: Buffer[] = [];
  const lengths: number[] = [];
  for (let start = 0; start < body.length; start += FRAME_BYTES) {
    const piece = body.subarray(start, start + FRAME_BYTES);
    frames.push(frame(DATA, 0, 1, piece));
    lengths.push(piece.length);
  }
  return { frames, lengths };
}

/** Rounds up to whole passes over the distinct rows, so that frames can be repeated as they are. */
function passesOf(job: Job): number {
  return Math.max(1, Math.round(job.rows / DISTINCT));
}

async function run(job: Job): Promise<{ rowsPerSecond: number; rows: number }> {
  const { frames, lengths } = framesOf(job);
  const passes = passesOf(job);
  let framesLeft = frames.length * passes;
  const expected = (DISTINCT / job.rowsPerMessage) * passes;
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  let next = 0;
  let answered = 0;
  let answerLeft = 0;
  let prefixBytes = 0;
  let length = 0;
  let failure: string | undefined;
  let onDone = (): void => {};
  const done = new Promise<void>((resolve) => {
    onDone = resolve;
  });

  /** Sends whole frames while both windows allow. */
  function send(): void {
    if (framesLeft === 0) return;
    socket.cork();
    while (framesLeft > 0 && socket.writableLength < 1_000_000) {
      const size = lengths[next]!;
      if (!windows.take(size)) break;
      framesLeft--;
      socket.write(frames[next]!);
      next = (next + 1) % frames.length;
    }
    socket.uncork();
  }

  /** Counts answers by their prefixes. A score a row is the least that one may hold. */
  function count(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; ) {
      if (answerLeft > 0) {
        const taken = Math.min(answerLeft, end - at);
        answerLeft -= taken;
        at += taken;
        continue;
      }
      if (prefixBytes > 0) length = length * 256 + bytes[at]!;
      at++;
      if (++prefixBytes < 5) continue;
      if (length < job.rowsPerMessage * 8) failure = `an answer of ${length} octets came`;
      answerLeft = length;
      prefixBytes = length = 0;
      answered++;
    }
    if (failure !== undefined || answered === expected) onDone();
  }

  const windows = new StreamWindows(socket, OWN_WINDOW, count);
  const read = windows.reader();
  socket.on("data", (chunk) => {
    read(chunk);
    send();
  });
  socket.on("drain", send);
  socket.on("close", () => {
    failure ??= `the connection closed after ${answered} of ${expected} answers`;
    onDone();
  });
  const startedAt = performance.now();
  socket.write(openingFrames("/assay.v1.ScoringService/PredictStream", OWN_WINDOW));
  await done;
  const seconds = (performance.now() - startedAt) / 1000;
  socket.destroy();
  if (failure !== undefined && answered < expected) throw new Error(failure);
  const rows = expected * job.rowsPerMessage;
  return { rowsPerSecond: rows / seconds, rows };
}

process.on("message", async (job: Job) => {
  const runs = await Promise.all(Array.from({ length: job.streams ?? 1 }, () => run(job)));
  process.send?.({
    rows: runs.reduce((rows, one) => rows + one.rows, 0),
    rowsPerSecond: runs.reduce((speed, one) => speed + one.rowsPerSecond, 0),
  });
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
