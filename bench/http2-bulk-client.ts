/**
 * The load of the bulk benchmark: one bidi stream over a plain socket, messages of `--bytes` octets with up to
 * `--inflight` unanswered, for `--messages`. Frames are made once; answers are counted, not decoded. Prints JSON.
 */
import net from "node:net";
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
} from "../src/http2/frame.ts";
import { createFrameReader, type FrameSink } from "../src/http2/frame-reader.ts";
import { encodeFields } from "../src/http2/hpack-encoder.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    bytes: { type: "string", default: "491520" },
    messages: { type: "string", default: "2000" },
    window: { type: "string", default: "4194304" },
  },
});
const messageBytes = Number(values.bytes) + 5;
const messages = Number(values.messages);
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

/** The DATA frames of one message, sent over and over. */
const message = Buffer.alloc(messageBytes);
message.writeUInt32BE(messageBytes - 5, 1);
const FRAMES: { bytes: Buffer; length: number }[] = [];
for (let start = 0; start < messageBytes; start += 16_384) {
  const piece = message.subarray(start, start + 16_384);
  FRAMES.push({ bytes: frame(DATA, 0, 1, piece), length: piece.length });
}
const socket = net.connect({ port: Number(values.port), host: "127.0.0.1", noDelay: true });
let streamWindow = 65_535;
let connectionWindow = 65_535;
let left = messages * messageBytes;
let received = 0;
let unreturned = 0;
let next = 0;
let started = 0;

/** Sends whole frames while both windows allow. */
function send(): void {
  socket.cork();
  while (left > 0 && socket.writableLength < 1_000_000) {
    const { bytes, length } = FRAMES[next]!;
    if (streamWindow < length || connectionWindow < length) break;
    streamWindow -= length;
    connectionWindow -= length;
    left -= length;
    socket.write(bytes);
    next = (next + 1) % FRAMES.length;
  }
  socket.uncork();
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
    received += frameBytes;
    unreturned += frameBytes;
    if (unreturned < ownWindow / 4) return;
    socket.write(frame(WINDOW_UPDATE, 0, 0, uint32(unreturned)));
    socket.write(frame(WINDOW_UPDATE, 0, 1, uint32(unreturned)));
    unreturned = 0;
  },
  dataPiece() {
    if (received < messages * messageBytes) return;
    const seconds = (performance.now() - started) / 1000;
    console.log(JSON.stringify({ seconds, messages, bytes: received }));
    socket.destroy();
  },
};
const read = createFrameReader(sink);
// The reader expects a client's preface, which a server does not send.
read(CLIENT_PREFACE);
socket.on("data", (chunk) => {
  read(chunk);
  send();
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
started = performance.now();
socket.write(CLIENT_PREFACE);
socket.write(frame(SETTINGS, 0, 0, windowSetting));
socket.write(frame(WINDOW_UPDATE, 0, 0, uint32(ownWindow * 4)));
socket.write(frame(HEADERS, FLAG_END_HEADERS, 1, head));
