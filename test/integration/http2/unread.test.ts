import { expect, test } from "vitest";
import { DATA, RST_STREAM, readUint31, WINDOW_UPDATE } from "../../../src/http2/frame/frame.ts";
import type { CancelReason, ServerStream, StreamHandler } from "../../../src/http2/stream.ts";
import {
  data,
  RawHttp2Client,
  REQUEST,
  request,
  settings,
  windowUpdate,
} from "../../support/clients/raw-http2-client.ts";
import { DONE, OK } from "../../support/servers/http2-server.ts";
import { connected } from "../../support/servers/tested-servers.ts";

const ENHANCE_YOUR_CALM = 11;
const MIB = 1 << 20;
const id = (i: number) => 2 * i + 1;
const PIECE = Buffer.alloc(16_000);
const PIECES = 16;

/** Answers with `byteCount` octets. */
function answering(byteCount: number): StreamHandler {
  return (stream) => {
    stream.respond(200, OK);
    stream.write(Buffer.alloc(byteCount));
    stream.trailers(DONE);
  };
}

/** Reads nothing but requests whose `x` is "now". */
function readingNow(stream: ServerStream): void {
  stream.onData = (bytes, end) => {
    if (stream.headers.get("x") !== "now") return;
    stream.consume(bytes.length);
    if (end) stream.respond(200, OK, true);
  };
}

/** Sends `count` bodies of 256,000 octets, as the connection's window allows. */
async function sendUnread(client: RawHttp2Client, count: number, window: { left: number }): Promise<void> {
  for (let i = 0; i < count; i++) {
    client.send(request(id(i), { endStream: false }));
    for (let piece = 0; piece < PIECES; piece++) {
      while (window.left < PIECE.length) await nextCredit(client, window);
      client.send(data(id(i), PIECE));
      window.left -= PIECE.length;
    }
  }
}

async function nextCredit(client: RawHttp2Client, window: { left: number }): Promise<void> {
  const update = await client.next((f) => f.type === WINDOW_UPDATE && f.streamId === 0);
  window.left += readUint31(update.payload, 0);
}

test("streams that nobody reads do not stop the others of their connection", async () => {
  const { client } = await connected(readingNow);
  // 60 × 256,000 octets are fifteen times what the connection's window begins with.
  await sendUnread(client, 60, { left: MIB });
  client.send(request(id(60), { fields: [...REQUEST, ["x", "now"]], endStream: false }));
  client.send(data(id(60), PIECE, true));
  expect((await client.response(id(60))).fields.get(":status")).toBe("200");
});

test("what all streams together may hold unread is bounded, and reading gives the credit back", async () => {
  const streams: ServerStream[] = [];
  let received = 0;
  const { client } = await connected(
    (stream) => {
      streams.push(stream);
      stream.onData = (bytes) => {
        received += bytes.length;
      };
    },
    undefined,
    { maxUnreadBodyBytes: 500_000, initialConnectionWindowBytes: 65_535, maxConnectionWindowBytes: 65_535 },
  );
  const window = { left: 65_535 };
  const sending = sendUnread(client, 4, window);
  await expect.poll(() => received).toBeGreaterThan(480_000);
  await new Promise((resolve) => setImmediate(resolve));
  expect(received).toBeLessThanOrEqual(500_000 + 65_535);
  for (const stream of streams) stream.consume(256_000);
  await expect
    .poll(() => {
      for (const stream of streams) stream.consume(256_000);
      return received;
    })
    .toBe(4 * 256_000);
  await sending;
});

test("a connection that leaves its answers unread waits with further requests until it reads", async () => {
  let served = 0;
  const answer = answering(100_000);
  const { client, server } = await connected(
    (stream) => {
      served++;
      answer(stream);
    },
    settings([4, 0]),
    { maxUnreadAnswerBytes: 4 * MIB },
  );
  client.send(...Array.from({ length: 100 }, (_, i) => request(id(i))));
  await expect.poll(() => server.engine.openStreams).toBe(100);
  expect(served).toBe(11);
  expect(server.engine.unreadAnswerBytes).toBeLessThan(2 * MIB);
  client.send(windowUpdate(0, 20 * MIB));
  for (let i = 0; i < 100; i++) {
    client.send(windowUpdate(id(i), 100_000));
    expect((await client.response(id(i))).body.length).toBe(100_000);
  }
  expect(served).toBe(100);
  expect(server.engine.unreadAnswerBytes).toBe(0);
});

test("answers beyond what a connection may leave unread are given up, and their handlers hear of it", async () => {
  const streams: ServerStream[] = [];
  const reasons: CancelReason[] = [];
  const { client, server } = await connected(
    (stream) => {
      stream.onCancel = (reason) => reasons.push(reason);
      streams.push(stream);
    },
    settings([4, 0]),
    { maxUnreadAnswerBytes: MIB },
  );
  client.send(...Array.from({ length: 50 }, (_, i) => request(id(i))));
  await expect.poll(() => streams.length).toBe(50);
  for (const stream of streams) {
    stream.respond(200, OK);
    stream.write(Buffer.alloc(100_000));
  }
  const stopped = await client.next((f) => f.type === RST_STREAM);
  expect([stopped.streamId, stopped.payload.readUInt32BE(0)]).toEqual([id(11), ENHANCE_YOUR_CALM]);
  await expect.poll(() => reasons.length).toBe(39);
  expect(reasons[0]).toEqual({ kind: "reset", code: ENHANCE_YOUR_CALM });
  expect(server.engine.counters.answersDropped).toBe(39);
  expect(server.engine.unreadAnswerBytes).toBeLessThan(1.2 * MIB);
});

test("where all connections leave too much unread, the one that holds the most ends", async () => {
  const { client: small, server } = await connected(
    (stream) => answering(Number(stream.headers.get("x")))(stream),
    settings([4, 0]),
    { maxAllUnreadAnswerBytes: 4 * MIB },
  );
  const ask = (streamId: number, byteCount: number) =>
    request(streamId, { fields: [...REQUEST, ["x", String(byteCount)]] });
  small.send(ask(1, 100_000));
  const large = await RawHttp2Client.open(server.port, settings([4, 0]));
  large.send(...Array.from({ length: 10 }, (_, i) => ask(id(i), 500_000)));
  await large.untilClosed();
  expect([...server.engine.counters.goaways.keys()]).toEqual([expect.stringContaining("not read")]);
  small.send(windowUpdate(0, MIB), windowUpdate(1, MIB));
  expect((await small.response(1)).body.length).toBe(100_000);
});

test("a stream of which the peer takes nothing is reset, however it dribbles, and its handler hears of it", async () => {
  const reasons: CancelReason[] = [];
  const { client, server } = await connected(
    (stream) => {
      stream.onCancel = (reason) => reasons.push(reason);
      stream.respond(200, OK);
      stream.write(Buffer.alloc(100_000));
    },
    settings([4, 1_000]),
    { stalledResponseMs: 50 },
  );
  client.send(request(1));
  await client.next((f) => f.type === DATA);
  const dribble = setInterval(() => client.send(windowUpdate(1, 1)), 50);
  expect((await client.response(1)).resetCode).toBe(8);
  clearInterval(dribble);
  expect(reasons).toEqual([{ kind: "reset", code: 8 }]);
  expect(server.engine.counters.streamsStalled).toBe(1);
});

test("the body of a request that waits, sent octet by octet, is handed over whole", async () => {
  const bodies: string[] = [];
  const { client } = await connected(
    (stream) => {
      if (stream.headers.get("x") !== "body") return answering(100_000)(stream);
      const pieces: Buffer[] = [];
      stream.onData = (bytes, end) => {
        pieces.push(Buffer.from(bytes));
        stream.consume(bytes.length);
        if (!end) return;
        bodies.push(Buffer.concat(pieces).toString());
        stream.respond(200, OK, true);
      };
    },
    settings([4, 0]),
    { maxUnreadAnswerBytes: 100_000 },
  );
  client.send(request(1), request(3, { fields: [...REQUEST, ["x", "body"]], endStream: false }));
  for (const [i, letter] of [..."row by row"].entries()) client.send(data(3, Buffer.from(letter), i === 9));
  client.send(windowUpdate(0, MIB), windowUpdate(1, MIB));
  expect((await client.response(3)).fields.get(":status")).toBe("200");
  expect(bodies).toEqual(["row by row"]);
});
