import { expect, test } from "vitest";
import {
  DATA,
  FLAG_END_STREAM,
  RST_STREAM,
  readUint31,
  SETTINGS,
  WINDOW_UPDATE,
} from "../../../src/http2/frame/frame.ts";
import type { ServerStream } from "../../../src/http2/stream.ts";
import {
  data,
  frame,
  type RawHttp2Client,
  request,
  settings,
  windowUpdate,
} from "../../support/clients/raw-http2-client.ts";
import { DONE, OK } from "../../support/servers/http2-server.ts";
import { connected } from "../../support/servers/tested-servers.ts";

const PIECE = Buffer.alloc(16_000, 7);

/** Takes DATA until `byteCount` octets have come. */
async function take(client: RawHttp2Client, byteCount: number): Promise<boolean> {
  for (let left = byteCount; left > 0; ) {
    const f = await client.next((other) => other.type === DATA);
    left -= f.payload.length;
    expect(left).toBeGreaterThanOrEqual(0);
    if (left === 0) return (f.flags & FLAG_END_STREAM) !== 0;
  }
  return false;
}

test("a response stops at the stream's window and goes on with a WINDOW_UPDATE", async () => {
  const events: string[] = [];
  const { client } = await connected(
    (stream) => {
      stream.respond(200, OK);
      stream.onDrain = () => {
        events.push("drain");
        stream.trailers(DONE);
      };
      events.push(String(stream.write(Buffer.alloc(1_000))));
      events.push(String(stream.write(Buffer.alloc(1_500))));
    },
    settings([4, 2_000]),
  );
  client.send(request(1));
  expect(await take(client, 2_000)).toBe(false);
  expect(events).toEqual(["true", "false"]);
  client.send(windowUpdate(1, 300), windowUpdate(1, 300));
  await take(client, 500);
  await client.next((f) => (f.flags & FLAG_END_STREAM) !== 0);
  expect(events).toEqual(["true", "false", "drain"]);
});

test("trailers that wait behind a closed window come after the body", async () => {
  const { client } = await connected(
    (stream) => {
      stream.respond(200, OK);
      stream.write(Buffer.alloc(10));
      stream.trailers(DONE);
    },
    settings([4, 4]),
  );
  client.send(request(1));
  await take(client, 4);
  client.send(windowUpdate(1, 100));
  const { body, trailers } = await client.response(1).then((r) => ({ ...r, trailers: r.fields }));
  expect([body.length, trailers.get("grpc-status")]).toEqual([6, "0"]);
});

test("the connection's window is shared: streams take turns", async () => {
  const { client } = await connected(
    (stream) => {
      stream.respond(200, OK);
      stream.write(Buffer.alloc(60_000), true);
    },
    settings([4, 1_000_000]),
  );
  client.send(request(1), request(3), request(5));
  await take(client, 65_535);
  client.send(windowUpdate(0, 1 << 20));
  const ids: number[] = [];
  for (let ended = 0; ended < 2; ) {
    const f = await client.next((other) => other.type === DATA);
    ids.push(f.streamId);
    if ((f.flags & FLAG_END_STREAM) !== 0) ended++;
  }
  expect(ids.slice(0, 4)).toEqual([3, 5, 3, 5]);
});

test("a smaller INITIAL_WINDOW_SIZE makes windows negative, which is honoured", async () => {
  const { client } = await connected(
    (stream) => {
      stream.respond(200, OK);
      stream.write(Buffer.alloc(3_000), true);
    },
    settings([4, 2_000]),
  );
  client.send(request(1));
  await take(client, 2_000);
  client.send(frame(SETTINGS, 0, 0, settings([4, 500])), windowUpdate(1, 1_500));
  await client.next((f) => f.type === SETTINGS);
  client.send(windowUpdate(1, 1));
  await take(client, 1);
  client.send(frame(SETTINGS, 0, 0, settings([4, 5_000])));
  expect(await take(client, 999)).toBe(true);
});

test("what a handler does not consume stops the peer, and consuming goes on", async () => {
  const window = { initialStreamWindowBytes: 65_535, maxStreamWindowBytes: 65_535 };
  let received = 0;
  let held: ServerStream | undefined;
  const { client } = await connected(
    (stream) => {
      held = stream;
      stream.onData = (bytes, end) => {
        received += bytes.length;
        if (end) stream.respond(200, OK, true);
      };
    },
    undefined,
    window,
  );
  client.send(request(1, { endStream: false }), data(1, Buffer.alloc(16_384)), data(1, Buffer.alloc(16_384)));
  client.send(data(1, Buffer.alloc(16_384)), data(1, Buffer.alloc(16_383)));
  await expect.poll(() => received).toBe(65_535);
  held!.consume(30_000);
  held!.consume(10_000);
  const update = await client.next((f) => f.type === WINDOW_UPDATE && f.streamId === 1);
  expect(readUint31(update.payload, 0)).toBe(40_000);
  client.send(data(1, Buffer.alloc(10), true));
  await client.response(1);
});

test("more than the stream's window is a FLOW_CONTROL_ERROR of the stream", async () => {
  const { client } = await connected(() => {}, undefined, { initialStreamWindowBytes: 65_535 });
  client.send(request(1, { endStream: false }), ...Array.from({ length: 5 }, () => data(1, PIECE)));
  const stop = await client.next((f) => f.type === RST_STREAM);
  expect(stop.payload.readUInt32BE(0)).toBe(3);
});

test("more than the connection's window ends the connection", async () => {
  const limits = {
    initialConnectionWindowBytes: 65_535,
    maxConnectionWindowBytes: 65_535,
    maxUnreadBodyBytes: 0,
  };
  const { client } = await connected(() => {}, undefined, limits);
  client.send(request(1, { endStream: false }), ...Array.from({ length: 5 }, () => data(1, PIECE)));
  expect(await client.goaway()).toMatchObject({ code: 3, reason: expect.stringContaining("6.9.1") });
  await client.untilClosed();
});

test("the window of a stream that is read at once grows to its maximum", async () => {
  const limits = { initialStreamWindowBytes: 65_536, maxStreamWindowBytes: 262_144 };
  const { client } = await connected(
    (stream) => {
      stream.onData = (bytes, end) => {
        stream.consume(bytes.length);
        if (end) stream.respond(200, OK, true);
      };
    },
    undefined,
    limits,
  );
  client.send(request(1, { endStream: false }));
  let granted = 65_536;
  let sent = 0;
  while (granted - sent < 262_144 - 131_072) {
    while (granted - sent >= PIECE.length) {
      client.send(data(1, PIECE));
      sent += PIECE.length;
    }
    const update = await client.next((f) => f.type === WINDOW_UPDATE && f.streamId === 1);
    granted += readUint31(update.payload, 0);
  }
  expect(granted - sent).toBeLessThanOrEqual(262_144);
  client.send(data(1, Buffer.alloc(0), true));
  expect((await client.response(1)).fields.get(":status")).toBe("200");
});

test("bytes of streams that nobody reads go back to the connection's window", async () => {
  const limits = { initialConnectionWindowBytes: 65_535, maxConnectionWindowBytes: 65_535 };
  const { client, server } = await connected((stream) => stream.respond(403, OK, true), undefined, limits);
  for (let id = 1; id < 41; id += 2) {
    client.send(request(id, { endStream: false }), data(id, PIECE), data(id, PIECE, true));
    await client.response(id);
  }
  expect(server.engine.counters.goaways.size).toBe(0);
});

test("a peer that does not read its socket stops the writer, and reading lets it go on", async () => {
  let written = 0;
  let drains = 0;
  const { client } = await connected(
    (stream) => {
      stream.respond(200, OK);
      const fill = () => {
        while (written < 30_000_000) {
          written += 100_000;
          if (!stream.write(Buffer.alloc(100_000))) return;
        }
        stream.onDrain = () => {};
        stream.trailers(DONE);
      };
      stream.onDrain = () => {
        drains++;
        fill();
      };
      fill();
    },
    settings([4, 0x7fff_ffff]),
  );
  client.socket.pause();
  client.send(windowUpdate(0, 0x7fff_0000 - 65_535), request(1));
  // The kernel's buffers take some megabytes on loopback; then the writer must have stopped.
  await expect.poll(() => written).toBeGreaterThan(0);
  await expect
    .poll(() => {
      const before = written;
      return new Promise((resolve) => setImmediate(() => setImmediate(() => resolve(written === before))));
    })
    .toBe(true);
  const stopped = written;
  expect(stopped).toBeLessThan(20_000_000);
  client.socket.resume();
  await take(client, 30_000_000);
  expect(drains).toBeGreaterThan(0);
});
