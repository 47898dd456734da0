/**
 * The load of the bulk benchmark: one bidi stream over a plain socket, messages of `--bytes` octets as fast as the
 * windows allow. Each line of input is a number of messages to send; when all have come back, one line of JSON tells
 * the seconds and the CPU µs that took. Frames are made once, and answers are counted and compared at one octet a
 * piece, so that the server and not the load is what a run measures. Ends with its input.
 */
import net from "node:net";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { DATA } from "../../src/http2/frame/frame.ts";
import { framed, PREFIX_BYTES } from "../../src/wire/grpc-frame.ts";
import { frame } from "../../test/support/clients/raw-http2-client.ts";
import { openingFrames, StreamWindows } from "./stream-windows.ts";

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

/** One message in its DATA frames, all in one buffer. */
function framedMessage(fill: number): Buffer {
  const message = framed(0, Buffer.alloc(messageBytes - PREFIX_BYTES, fill));
  const frames: Buffer[] = [];
  for (let start = 0; start < messageBytes; start += FRAME_BYTES) {
    frames.push(frame(DATA, 0, 1, message.subarray(start, start + FRAME_BYTES)));
  }
  return Buffer.concat(frames);
}

const messages = Array.from({ length: FILLS }, (_, fill) => framedMessage(fill));
let toSend = 0;
let sent = 0;
let received = 0;
let task: { messages: number; until: number; startedMs: number; cpu: NodeJS.CpuUsage } | undefined;

/** Sends whole messages while both windows allow. */
function send(): void {
  while (toSend > 0 && socket.writableLength < 1_000_000) {
    if (!windows.take(messageBytes)) return;
    toSend--;
    socket.write(messages[sent++ % FILLS]!);
  }
}

/** Counts what comes back, and compares its last octet. */
function onBody(bytes: Buffer, start: number, end: number): void {
  if (end === start) return;
  received += end - start;
  const last = received - 1;
  const expected = Math.floor(last / messageBytes) % FILLS;
  if (last % messageBytes >= PREFIX_BYTES && bytes[end - 1] !== expected) {
    throw new Error(`octet ${last} of the echo is ${bytes[end - 1]}, sent was ${expected}`);
  }
}

function finishTask(): void {
  if (task === undefined || received < task.until) return;
  const { user, system } = process.cpuUsage(task.cpu);
  const seconds = (performance.now() - task.startedMs) / 1000;
  console.log(JSON.stringify({ messages: task.messages, seconds, cpuUs: user + system }));
  task = undefined;
}

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
const windows = new StreamWindows(socket, ownWindow, onBody);
const read = windows.reader();
socket.on("drain", send);
socket.write(openingFrames("/echo.Echo/Stream", ownWindow));

const lines = createInterface(process.stdin);
lines.on("line", (line) => {
  const messages = Number(line);
  toSend += messages;
  const until = received + messages * messageBytes;
  task = { messages, until, startedMs: performance.now(), cpu: process.cpuUsage() };
  send();
});
lines.on("close", () => socket.destroy());
