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
import {
  CLIENT_PREFACE,
  DATA,
  FLAG_ACK,
  FLAG_END_HEADERS,
  HEADERS,
  readUint31,
  SETTINGS,
  WINDOW_UPDATE,
  writeFrameHeader,
} from "../../src/http2/frame/frame.ts";
import { createFrameReader, type FrameSink } from "../../src/http2/frame/frame-reader.ts";
import { encodeFields } from "../../src/http2/hpack/hpack-encoder.ts";
import { benchRows, COLUMNS } from "../bench-models.ts";

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

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  writeFrameHeader(bytes, 0, payload.length, type, flags, streamId);
  bytes.set(payload, 9);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** DATA frames that carry the messages one after another, and how many octets of body each has. */
function framesOf(job: Job): { frames: Buffer[]; lengths: number[] } {
  const pieces: Buffer[] = [];
  for (let row = 0; row < DISTINCT; row += job.rowsPerMessage) {
    const values = features.subarray(row * COLUMNS, (row + job.rowsPerMessage) * COLUMNS);
    const rawContents = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const shape = [BigInt(job.rowsPerMessage), BigInt(COLUMNS)];
    const inputs = [{ name: "features", datatype: "FP32", shape, rawContents }];
    const item = { itemId: BigInt(1 + row), request: { modelName: job.model, inputs } };
    const message = toBinary(PredictStreamRequestSchema, create(PredictStreamRequestSchema, item));
    pieces.push(Buffer.concat([Buffer.of(0), uint32(message.length), message]));
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
  let streamWindow = 65_535;
  let connectionWindow = 65_535;
  let unreturned = 0;
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
      if (streamWindow < size || connectionWindow < size) break;
      streamWindow -= size;
      connectionWindow -= size;
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

  const sink: FrameSink = {
    readingEnded: false,
    frame(type, flags, streamId, bytes, start, end) {
      if (type === SETTINGS && (flags & FLAG_ACK) === 0) {
        for (let i = start; i < end; i += 6) {
          if (bytes.readUInt16BE(i) === 4) streamWindow += bytes.readUInt32BE(i + 2) - 65_535;
        }
        socket.write(frame(SETTINGS, FLAG_ACK, 0, Buffer.alloc(0)));
      } else if (type === WINDOW_UPDATE) {
        if (streamId === 0) connectionWindow += readUint31(bytes, start);
        else streamWindow += readUint31(bytes, start);
      }
    },
    dataBegin(_streamId, _flags, frameBytes) {
      unreturned += frameBytes;
      if (unreturned < OWN_WINDOW / 4) return;
      socket.write(frame(WINDOW_UPDATE, 0, 0, uint32(unreturned)));
      socket.write(frame(WINDOW_UPDATE, 0, 1, uint32(unreturned)));
      unreturned = 0;
    },
    dataPiece: (bytes, start, end) => count(bytes, start, end),
  };
  const read = createFrameReader(sink);
  // The reader expects a client's preface, which a server does not send.
  read(CLIENT_PREFACE);
  socket.on("data", (chunk) => {
    read(chunk);
    send();
  });
  socket.on("drain", send);
  socket.on("close", () => {
    failure ??= `the connection closed after ${answered} of ${expected} answers`;
    onDone();
  });
  const head = encodeFields([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", "/assay.v1.ScoringService/PredictStream"],
    [":authority", "localhost"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
  ]);
  const startedAt = performance.now();
  socket.write(
    Buffer.concat([
      CLIENT_PREFACE,
      frame(SETTINGS, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(OWN_WINDOW)])),
      frame(WINDOW_UPDATE, 0, 0, uint32(OWN_WINDOW * 4)),
      frame(HEADERS, FLAG_END_HEADERS, 1, head),
    ]),
  );
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
