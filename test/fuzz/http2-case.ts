/** One fuzz case, made from its seed alone: what a client sends, frame by frame, and how the bytes are cut. */
import {
  CLIENT_PREFACE,
  CONTINUATION,
  DATA,
  FRAME_HEADER_BYTES,
  GOAWAY,
  HEADERS,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from "../../src/http2/frame/frame.ts";
import { encodeFields } from "../../src/http2/hpack/hpack-encoder.ts";
import { frame, settings, uint32 } from "../support/clients/raw-http2-client.ts";

/** Whole numbers from `low` to `high`, both included; the same sequence for the same seed (mulberry32). */
export type Random = (low: number, high: number) => number;

export function createRandom(seed: number): Random {
  let state = seed | 0;
  return (low, high) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return low + (((mixed ^ (mixed >>> 14)) >>> 0) % (high - low + 1));
  };
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[random(0, items.length - 1)]!;
}

function bytes(random: Random, length: number): Buffer {
  const made = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) made[i] = random(0, 255);
  return made;
}

const EDGES = [
  0, 1, 2, 100, 255, 256, 16_383, 16_384, 65_535, 0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
];
const PATHS = ["/echo", "/echo", "/early", "/reset", "/silent", "/large", "/trailers"];
const FIELDS: readonly (readonly [string, string])[] = [
  ["content-length", "5"],
  ["content-length", "0"],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
  ["te", "gzip"],
  ["connection", "close"],
  ["expect", "100-continue"],
  ["host", "localhost"],
  ["x-long", "y".repeat(9_000)],
  [":path", "/again"],
  [":status", "200"],
];

/** Literals with incremental indexing, references, size updates: what the encoder of this package never sends. */
function tableOctets(random: Random): Buffer {
  const made: Buffer[] = [];
  for (let i = random(0, 4); i > 0; i--) {
    const value = bytes(random, random(0, 40));
    const name = Buffer.from(`x-${random(0, 9)}`);
    made.push(
      pick(random, [
        Buffer.concat([
          Buffer.of(0x40, name.length),
          name,
          Buffer.of(value.length),
          value.map((octet) => (octet % 90) + 33),
        ]),
        Buffer.of(0x80 | (random(0, 9) === 0 ? random(62, 70) : random(15, 61))),
        Buffer.concat([Buffer.of(0x10, (random(0, 9) === 0 ? 0x80 : 0) | name.length), name, Buffer.of(0)]),
      ]),
    );
  }
  return Buffer.concat(made);
}

function headerOctets(random: Random): Buffer {
  const fields: (readonly [string, string])[] = [
    [":method", pick(random, ["GET", "POST", "POST", "CONNECT", "OPTIONS"])],
    [":scheme", "http"],
    [":path", pick(random, PATHS)],
    [":authority", "localhost"],
  ];
  for (let i = random(0, 8) > 5 ? random(0, 3) : 0; i > 0; i--) fields.push(pick(random, FIELDS));
  if (random(0, 30) === 0) fields.splice(random(0, fields.length - 1), 1);
  // Connection fields are left out by the encoder; written raw they must be refused.
  const resize = random(0, 6) === 0 ? Buffer.of(0x20 | random(0, 30)) : Buffer.alloc(0);
  const block = Buffer.concat([
    resize,
    encodeFields(fields),
    random(0, 2) === 0 ? tableOctets(random) : Buffer.alloc(0),
  ]);
  if (random(0, 39) === 0 && block.length > 0) block[random(0, block.length - 1)] = random(0, 255);
  return block;
}

/** One frame, or a few that belong together; mostly legal, so that cases get deep. */
function frames(random: Random, streamIds: { next: number }): Buffer[] {
  const known = () => (random(0, 60) === 0 ? random(0, 9) : Math.max(1, streamIds.next - 2 * random(1, 4)));
  const end = random(0, 1);
  switch (random(0, 15)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const id = streamIds.next;
      streamIds.next += 2 * random(1, 2);
      const block = headerOctets(random);
      if (random(0, 4) > 0) return [frame(HEADERS, 4 | end, id, block)];
      const cut = random(0, block.length);
      const middle = Array.from({ length: random(0, 3) }, () => frame(CONTINUATION, 0, id));
      return [
        frame(HEADERS, end, id, block.subarray(0, cut)),
        ...middle,
        frame(CONTINUATION, 4, id, block.subarray(cut)),
      ];
    }
    case 4:
    case 5:
    case 6:
      return [frame(DATA, end, known(), Buffer.alloc(pick(random, [0, 1, 5, 5, 300, 16_384]), 1))];
    case 7: {
      const padding = random(0, 255);
      return [
        frame(
          DATA,
          8 | end,
          known(),
          Buffer.concat([
            Buffer.of(padding),
            Buffer.alloc(random(0, 300)),
            Buffer.alloc(random(0, 60) === 0 ? 0 : padding),
          ]),
        ),
      ];
    }
    case 8:
      return [
        frame(
          HEADERS,
          4 | end,
          known(),
          random(0, 1) === 0 ? headerOctets(random) : encodeFields([["x-trailer", "1"]]),
        ),
      ];
    case 9:
      return [frame(RST_STREAM, 0, known(), uint32(random(0, 14)))];
    case 10:
      return [
        frame(
          WINDOW_UPDATE,
          0,
          pick(random, [0, known()]),
          uint32(random(0, 9) === 0 ? pick(random, EDGES) : random(1, 100_000)),
        ),
      ];
    case 11:
      return [
        frame(
          SETTINGS,
          0,
          0,
          settings(
            [
              pick(random, [1, 3, 4, 5, 6, 8]),
              random(0, 9) === 0 ? pick(random, EDGES) : random(16_384, 70_000),
            ],
            [4, random(0, 70_000)],
          ),
        ),
      ];
    case 12:
      return [frame(PING, random(0, 1), 0, bytes(random, 8)), frame(SETTINGS, 1, 0)];
    case 13:
      return [
        frame(PRIORITY, 0, known(), bytes(random, 5)),
        frame(random(10, 255), random(0, 255), known(), bytes(random, random(0, 30))),
      ];
    case 14:
      if (random(0, 9) > 0) return [frame(GOAWAY, 0, 0, bytes(random, random(8, 12)))];
      return [
        frame(
          pick(random, [GOAWAY, PUSH_PROMISE]),
          0,
          pick(random, [0, 0, known()]),
          bytes(random, random(4, 12)),
        ),
      ];
    default: {
      if (random(0, 5) > 0) return [];
      const type = random(0, 9);
      const body = bytes(random, random(0, 40));
      return [
        frame(
          type,
          random(0, 255),
          known(),
          body,
          random(0, 5) === 0 ? pick(random, [0, body.length + 1, 16_385, 0xffffff]) : body.length,
        ),
      ];
    }
  }
}

export interface FuzzCase {
  readonly chunks: readonly Buffer[];
  /** Whether the client half-closes or destroys after its last chunk, or waits to be answered. */
  readonly ending: "wait" | "end" | "destroy";
}

/** Makes the case of a seed. */
export function fuzzCase(seed: number): FuzzCase {
  const random = createRandom(seed);
  const streamIds = { next: 1 };
  const made: Buffer[] = [
    CLIENT_PREFACE,
    frame(SETTINGS, 0, 0, random(0, 3) === 0 ? settings([4, random(0, 2_000)]) : Buffer.alloc(0)),
  ];
  // Some honest requests first: most rules speak of streams that exist.
  for (let i = random(1, 4); i > 0; i--, streamIds.next += 2) {
    const fields: [string, string][] = [
      [":method", "POST"],
      [":scheme", "http"],
      [":path", pick(random, PATHS)],
    ];
    made.push(frame(HEADERS, 4 | random(0, 1), streamIds.next, encodeFields(fields)));
  }
  for (let i = random(1, 60); i > 0; i--) made.push(...frames(random, streamIds));
  if (random(0, 19) === 0) {
    const broken = pick(random, made.slice(1));
    broken[random(0, Math.min(broken.length, FRAME_HEADER_BYTES) - 1)] = random(0, 255);
  }
  const whole = Buffer.concat(made);
  const chunks: Buffer[] = [];
  for (let start = 0; start < whole.length; ) {
    const length = random(0, 3) > 0 ? random(1, 40_000) : random(1, 20);
    chunks.push(whole.subarray(start, start + length));
    start += length;
  }
  return { chunks, ending: pick(random, ["wait", "wait", "end", "destroy"]) };
}
