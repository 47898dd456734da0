import { describe, expect, test } from "vitest";
import {
  CONTINUATION,
  FLAG_END_HEADERS,
  HEADERS,
  PING,
  PRIORITY,
  SETTINGS,
} from "../../../src/http2/frame/frame.ts";
import { encodeFields } from "../../../src/http2/hpack/hpack-encoder.ts";
import {
  data,
  frame,
  REQUEST,
  request,
  reset,
  settings,
  uint32,
  windowUpdate,
} from "../../support/clients/raw-http2-client.ts";
import { DONE, OK } from "../../support/servers/http2-server.ts";
import { connected } from "../../support/servers/tested-servers.ts";

const silent = (): void => {};
const repeat = (count: number, make: (i: number) => Buffer): Buffer[] =>
  Array.from({ length: count }, (_, i) => make(i));
const id = (i: number) => 2 * i + 1;
const ONE = Buffer.of(1);
const started = (i: number) => request(id(i), { endStream: false });

describe("a flood ends the connection with ENHANCE_YOUR_CALM and its reason", () => {
  test.each<[string, () => Buffer[]]>([
    [
      "streams reset (CVE-2023-44487",
      () => repeat(3_000, (i) => Buffer.concat([request(id(i)), reset(id(i), 8)])),
    ],
    [
      "streams reset (CVE-2023-44487",
      () => repeat(3_000, (i) => Buffer.concat([started(i), data(id(i), ONE), reset(id(i), 8)])),
    ],
    [
      "streams reset (CVE-2023-44487",
      () =>
        repeat(1_500, (i) =>
          Buffer.concat([started(i), ...repeat(20, () => data(id(i), ONE)), reset(id(i), 8)]),
        ),
    ],
    [
      "force a stream reset (CVE-2025-8671",
      () => repeat(1_000, (i) => Buffer.concat([request(id(i)), windowUpdate(id(i), 0)])),
    ],
    [
      "force a stream reset (CVE-2025-8671",
      () => repeat(1_000, (i) => Buffer.concat([started(i), data(id(i), ONE), windowUpdate(id(i), 0)])),
    ],
    [
      "force a stream reset (CVE-2025-8671",
      () =>
        repeat(1_000, (i) =>
          Buffer.concat([started(i), data(id(i), ONE), frame(PRIORITY, 0, id(i), Buffer.alloc(4))]),
        ),
    ],
    [
      "SETTINGS frames (CVE-2019-9515",
      () => [started(0), ...repeat(1_000, () => Buffer.concat([data(1, ONE), frame(SETTINGS, 0, 0)]))],
    ],
    [
      "PRIORITY frames (CVE-2019-9513",
      () => [
        started(0),
        ...repeat(3_000, () =>
          Buffer.concat([data(1, ONE), frame(PRIORITY, 0, 1, Buffer.concat([uint32(3), ONE]))]),
        ),
      ],
    ],
    [
      "MAX_CONCURRENT_STREAMS",
      () => repeat(6_000, (i) => Buffer.concat([started(i), ...(i < 900 ? [data(id(i), ONE)] : [])])),
    ],
    [
      "force a stream reset (CVE-2025-8671",
      () => repeat(1_000, (i) => Buffer.concat([request(id(i)), data(id(i), Buffer.of(1))])),
    ],
    [
      "force a stream reset (CVE-2025-8671",
      () =>
        repeat(1_000, (i) =>
          Buffer.concat([request(id(i), { endStream: false }), windowUpdate(id(i), 0x7fffffff)]),
        ),
    ],
    ["PING frames (CVE-2019-9512", () => repeat(5_000, () => frame(PING, 0, 0, Buffer.alloc(8)))],
    ["SETTINGS frames (CVE-2019-9515", () => repeat(1_000, () => frame(SETTINGS, 0, 0))],
    [
      "empty DATA frames (CVE-2019-9518",
      () => [request(1, { endStream: false }), ...repeat(2_000, () => data(1, Buffer.alloc(0)))],
    ],
    [
      "PRIORITY frames (CVE-2019-9513",
      () => repeat(5_000, () => frame(PRIORITY, 0, 1, Buffer.concat([uint32(3), Buffer.of(1)]))),
    ],
    ["unknown type", () => repeat(5_000, () => frame(0x42, 0, 0))],
    ["WINDOW_UPDATE", () => repeat(30_000, () => windowUpdate(0, 1))],
    ["MAX_CONCURRENT_STREAMS", () => repeat(6_000, (i) => request(id(i)))],
    [
      "CONTINUATION frames in a header block (CVE-2024-27316",
      () => [
        frame(HEADERS, 0, 1, encodeFields(REQUEST)),
        ...repeat(1_000, () => frame(CONTINUATION, 0, 1, Buffer.of(0x82))),
      ],
    ],
    [
      "header block is too long (CVE-2024-27316",
      () => [
        frame(HEADERS, 0, 1, encodeFields(REQUEST)),
        ...repeat(10, () => frame(CONTINUATION, 0, 1, Buffer.alloc(16_000, 0x82))),
      ],
    ],
    [
      "force a stream reset (CVE-2025-8671",
      () =>
        repeat(1_000, (i) =>
          frame(
            HEADERS,
            FLAG_END_HEADERS | 1,
            id(i),
            Buffer.concat([encodeFields(REQUEST), Buffer.alloc(300, 0x90)]),
          ),
        ),
    ],
  ])("%s", async (reason, frames) => {
    const { client, server } = await connected(silent);
    client.send(...frames());
    expect(await client.goaway()).toMatchObject({ code: 11, reason: expect.stringContaining(reason) });
    await client.untilClosed();
    expect([...server.engine.counters.goaways.keys()]).toEqual([expect.stringContaining(reason)]);
    await expect.poll(() => server.engine.openStreams).toBe(0);
  });
});

test("windows of one octet cannot cut responses into crumbs for ever (CVE-2019-9511)", async () => {
  const { client } = await connected(
    (stream) => {
      stream.respond(200, OK);
      stream.write(Buffer.alloc(100_000));
      stream.trailers(DONE);
    },
    settings([4, 1]),
  );
  client.send(request(1), ...repeat(5_000, () => windowUpdate(1, 1)));
  expect(await client.goaway()).toMatchObject({ code: 11, reason: expect.stringContaining("CVE-2019-9511") });
});

test("busy honest connections are not cut: pings, resets and window updates beside real work", async () => {
  const { client, server } = await connected();
  for (let round = 0; round < 40; round++) {
    const base = round * 200;
    client.send(
      ...repeat(100, (i) =>
        Buffer.concat([
          request(id(base + i), { endStream: false }),
          data(id(base + i), Buffer.from("x"), true),
          frame(PING, 0, 0, Buffer.alloc(8)),
          windowUpdate(0, 1),
        ]),
      ),
      ...repeat(20, (i) =>
        Buffer.concat([request(id(base + 100 + i), { endStream: false }), reset(id(base + 100 + i), 8)]),
      ),
    );
    await client.response(id(base + 99));
  }
  expect(server.engine.counters).toMatchObject({ streamsCompleted: 4_000, resetsReceived: 800 });
  expect(server.engine.counters.goaways.size).toBe(0);
});

test("rapid resets in bounds leave nothing behind", async () => {
  const { client, server } = await connected(silent);
  client.send(
    ...repeat(900, (i) => Buffer.concat([request(id(i), { endStream: false }), reset(id(i), 8)])),
    request(1_801),
  );
  await expect.poll(() => server.engine.counters.streamsOpened).toBe(901);
  expect(server.engine.openStreams).toBe(1);
});

test("resets that cross the end of their answers are no flood", async () => {
  const { client, server } = await connected((stream) => stream.respond(200, OK, true));
  for (let round = 0; round < 10; round++) {
    const ids = Array.from({ length: 500 }, (_, i) => id(round * 500 + i));
    client.send(...ids.map((streamId) => request(streamId)));
    await client.response(ids.at(-1)!);
    client.send(...ids.map((streamId) => reset(streamId, 8)));
  }
  client.send(request(id(5_000)));
  await client.response(id(5_000));
  expect(server.engine.counters).toMatchObject({ streamsCompleted: 5_001, resetsReceived: 5_000 });
  expect(server.engine.counters.goaways.size).toBe(0);
});

test("callers whose deadlines pass while the server is slow are no flood", async () => {
  const { client, server } = await connected(silent, undefined, { rapidResetMs: 0 });
  for (let round = 0; round < 3; round++) {
    client.send(...repeat(900, (i) => request(id(round * 900 + i))));
    await expect.poll(() => server.engine.openStreams).toBe(900);
    client.send(...repeat(900, (i) => reset(id(round * 900 + i), 8)));
    await expect.poll(() => server.engine.openStreams).toBe(0);
  }
  expect(server.engine.counters.goaways.size).toBe(0);
});

test("a stream above the limit is refused, the others go on", async () => {
  const { client } = await connected(
    (stream) => {
      if (stream.headers.get("x") === "now") stream.respond(200, OK, true);
    },
    undefined,
    { maxConcurrentStreams: 2 },
  );
  client.send(request(1, { endStream: false }), request(3, { endStream: false }), request(5));
  expect((await client.response(5)).resetCode).toBe(7);
  client.send(reset(1, 8), request(7, { fields: [...REQUEST, ["x", "now"]] }));
  expect((await client.response(7)).fields.get(":status")).toBe("200");
});

test("a peer that sends and never reads is not read either, and memory stays bounded (CVE-2019-9517)", async () => {
  const { client, server } = await connected((stream) => stream.respond(200, OK, true));
  client.socket.pause();
  const before = process.memoryUsage().arrayBuffers;
  for (let round = 0; round < 40 && !client.closed; round++) {
    const base = round * 2_000;
    client.send(...repeat(2_000, (i) => request(id(base + i))));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect
    .poll(() => {
      const seen = server.engine.counters.streamsOpened;
      return new Promise((resolve) =>
        setImmediate(() =>
          setImmediate(() => resolve(seen > 0 && seen === server.engine.counters.streamsOpened)),
        ),
      );
    })
    .toBe(true);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
  await client.close();
});
