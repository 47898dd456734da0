/**
 * The load of the bulk benchmark: one bidi stream over a plain socket, messages of `--bytes` octets as fast as the
 * windows allow. Each line of input is a number of messages to send; when all have come back, one line of JSON tells
 * the seconds and the CPU µs that took. Frames are made once, and answers are counted and compared at one octet a
 * piece, so that the server and not the load is what a run measures. Ends with its input.
 */
import net from "node:net";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
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

const PREFIX_BYTES = 5;
const FRAME_BYTES = 16_384;
// Messages differ in what fills them, so that an echo from a buffer that was used again too early shows.
const FILLS = 5;
const READ_BYTES = 1_048_576;

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    bytes: { type: "string", default: "491520" },
    window: { type: "string", default: "4194304" },
  },
});
const messageBytes = Number(values.bytes) + PREFIX_BYTES;
const ownWindow = Number(values.window);

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

/** One message in its DATA frames, all in one buffer. */
function framedMessage(fill: number): Buffer {
  const message = Buffer.alloc(messageBytes, fill);
  message[0] = 0;
  message.writeUInt32BE(messageBytes - PREFIX_BYTES, 1);
  const frames: Buffer[] = [];
  for (let start = 0; start < messageBytes; start += FRAME_BYTES) {
    frames.push(frame(DATA, 0, 1, message.subarray(start, start + FRAME_BYTES)));
  }
  return Buffer.concat(frames);
}

const framed = Array.from({ length: FILLS }, (_, fill) => framedMessage(fill));
let streamWindow = 65_535;
let connectionWindow = 65_535;
let toSend = 0;
let sent = 0;
let received = 0;
let unreturned = 0;
let task: { messages: number; until: number; startedMs: number; cpu: NodeJS.CpuUsage } | undefined;

/** Sends whole messages while both windows allow. */
function send(): void {
  while (toSend > 0 && socket.writableLength < 1_000_000) {
    if (streamWindow < messageBytes || connectionWindow < messageBytes) return;
    streamWindow -= messageBytes;
    connectionWindow -= messageBytes;
    toSend--;
    socket.write(framed[sent++ % FILLS]!);
  }
}

/** Returns a quarter of the window at a time. */
function returnWindow(byteCount: number): void {
  unreturned += byteCount;
  if (unreturned < ownWindow / 4) return;
  const increment = uint32(unreturned);
  socket.write(Buffer.concat([frame(WINDOW_UPDATE, 0, 0, increment), frame(WINDOW_UPDATE, 0, 1, increment)]));
  unreturned = 0;
}

const sink: FrameSink = {
  readingEnded: false,
  frame(type, flags, streamId, bytes, start, end) {
    if (type === SETTINGS && (flags & FLAG_ACK) === 0) {
      for (let i = start; i < end; i += 6) {
        if (bytes.readUInt16BE(i) === 4) streamWindow += bytes.readUInt32BE(i + 2) - 65_535;
      }
      socket.write(frame(SETTINGS, FLAG_ACK, 0, Buffer.alloc(0)));
    }
    if (type === WINDOW_UPDATE) {
      if (streamId === 0) connectionWindow += readUint31(bytes, start);
      else streamWindow += readUint31(bytes, start);
    }
  },
  dataBegin(_streamId, _flags, frameBytes) {
    returnWindow(frameBytes);
  },
  dataPiece(bytes, start, end) {
    if (end === start) return;
    received += end - start;
    const last = received - 1;
    const expected = Math.floor(last / messageBytes) % FILLS;
    if (last % messageBytes >= PREFIX_BYTES && bytes[end - 1] !== expected) {
      throw new Error(`octet ${last} of the echo is ${bytes[end - 1]}, sent was ${expected}`);
    }
  },
};

function finishTask(): void {
  if (task === undefined || received < task.until) return;
  const { user, system } = process.cpuUsage(task.cpu);
  const seconds = (performance.now() - task.startedMs) / 1000;
  console.log(JSON.stringify({ messages: task.messages, seconds, cpuUs: user + system }));
  task = undefined;
}

const read = createFrameReader(sink);
// The reader expects a client's preface, which a server does not send.
read(CLIENT_PREFACE);
const socket = net.connect({
  port: Number(values.port),
  host: "127.0.0.1",
  noDelay: true,
  onread: {
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    callback(byteCount, buffer) {
      read(Buffer.from(buffer.buffer, buffer.byteOffset, byteCount));
      send();
      finishTask();
      return true;
    },
  },
});
socket.on("drain", send);
const windowSetting = Buffer.concat([Buffer.of(0, 4), uint32(ownWindow)]);
const head = encodeFields([
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/echo.Echo/Stream"],
  [":authority", "localhost"],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
]);
socket.write(CLIENT_PREFACE);
socket.write(frame(SETTINGS, 0, 0, windowSetting));
socket.write(frame(WINDOW_UPDATE, 0, 0, uint32(ownWindow * 4)));
socket.write(frame(HEADERS, FLAG_END_HEADERS, 1, head));

const lines = createInterface(process.stdin);
lines.on("line", (line) => {
  const messages = Number(line);
  toSend += messages;
  const until = received + messages * messageBytes;
  task = { messages, until, startedMs: performance.now(), cpu: process.cpuUsage() };
  send();
});
lines.on("close", () => socket.destroy());
