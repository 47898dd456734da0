import { connect } from "node:http2";
import { expect, test } from "vitest";
import { RST_STREAM, WINDOW_UPDATE } from "../../../src/http2/frame/frame.ts";
import type { StreamHandler } from "../../../src/http2/stream.ts";
import {
  data,
  type RawHttp2Client,
  REQUEST,
  request,
  reset,
} from "../../support/clients/raw-http2-client.ts";
import { OK } from "../../support/servers/http2-server.ts";
import { connected } from "../../support/servers/tested-servers.ts";

const refuseAll: StreamHandler = (stream) => stream.respond(413, OK, true);

/** Sends a body in frames as the peer's windows allow it, until it is sent or the stream is reset; the octets that went out. */
async function upload(client: RawHttp2Client, byteCount: number, windowBytes: number): Promise<number> {
  let sent = 0;
  let room = windowBytes;
  while (sent < byteCount) {
    const length = Math.min(16_384, room, byteCount - sent);
    if (length > 0) {
      sent += length;
      room -= length;
      client.send(data(1, Buffer.alloc(length), sent === byteCount));
      continue;
    }
    const { type, payload } = await client.next(
      (f) => f.streamId === 1 && (f.type === WINDOW_UPDATE || f.type === RST_STREAM),
    );
    if (type === RST_STREAM) return sent;
    room += payload.readUInt32BE(0);
  }
  return sent;
}

test("a peer that sends its whole body before it reads an early answer gets the answer and no reset", async () => {
  const { client, server } = await connected(refuseAll, undefined, { initialStreamWindowBytes: 65_535 });
  client.send(request(1, { endStream: false }));
  expect((await client.response(1)).fields.get(":status")).toBe("413");
  expect(await upload(client, 2_000_000, 65_535)).toBe(2_000_000);
  client.send(request(3));
  expect((await client.response(3)).fields.get(":status")).toBe("413");
  expect(server.engine.counters).toMatchObject({ resetsSent: 0, streamsCompleted: 2, streamsCancelled: 0 });
});

test("what a handler kept of a body that it answered early does not hold the peer back", async () => {
  const { client } = await connected(
    (stream) => {
      let bytesSeen = 0;
      stream.onData = (bytes) => {
        // Nothing is consumed.
        bytesSeen += bytes.length;
        if (bytesSeen === 65_535) stream.respond(413, OK, true);
      };
    },
    undefined,
    { initialStreamWindowBytes: 65_535 },
  );
  client.send(request(1, { endStream: false }));
  expect(await upload(client, 500_000, 65_535)).toBe(500_000);
});

test("a peer that never ends its body is stopped at the bound, at once", async () => {
  const { client, server } = await connected(refuseAll, undefined, {
    initialStreamWindowBytes: 65_535,
    maxDiscardedBytes: 300_000,
  });
  client.send(request(1, { endStream: false }));
  await client.response(1);
  const sent = await upload(client, 100_000_000, 65_535);
  expect(sent).toBeGreaterThanOrEqual(300_000);
  expect(sent).toBeLessThan(2_000_000);
  client.send(request(3));
  expect((await client.response(3)).fields.get(":status")).toBe("413");
  expect(server.engine.counters).toMatchObject({ resetsSent: 1, streamsCompleted: 2, bodiesCutOff: 1 });
});

test("a peer that sends on for too long is stopped with NO_ERROR", async () => {
  const { client } = await connected(refuseAll, undefined, { maxDiscardMs: 0 });
  client.send(request(1, { endStream: false }));
  await client.response(1);
  const stop = await client.next((f) => f.type === RST_STREAM);
  expect([stop.streamId, stop.payload.readUInt32BE(0)]).toEqual([1, 0]);
});

test("streams that are answered make room for others", async () => {
  const { client, server } = await connected(refuseAll, undefined, { maxConcurrentStreams: 2 });
  const ids = [1, 3, 5];
  client.send(...ids.map((id) => request(id, { endStream: false })));
  for (const id of ids) expect((await client.response(id)).fields.get(":status")).toBe("413");
  expect(server.engine.counters.streamsCompleted).toBeGreaterThanOrEqual(2);
});

test("a peer that gives up the rest of an answered request is no flood of resets", async () => {
  const { client, server } = await connected(refuseAll);
  for (let id = 1; id < 6_000; id += 2) {
    client.send(request(id, { fields: REQUEST, endStream: false }));
    expect((await client.response(id)).resetCode).toBeUndefined();
    client.send(reset(id, 8));
  }
  client.send(request(6_001));
  await client.response(6_001);
  expect(server.engine.counters).toMatchObject({ streamsCompleted: 3_001, streamsCancelled: 0 });
});

// Above its maxSessionMemory of 10 MB of unsent body, node:http2 refuses any head, and a reset that follows it at once leaves the stream
// without an end for ever.
test.each([3_000_000, 20_000_000])(
  "a node:http2 client that sends %i octets in one call comes to an end",
  async (byteCount) => {
    const { server } = await connected(refuseAll);
    const session = connect(`http://127.0.0.1:${server.port}`);
    const stream = session.request({ ":method": "POST", ":path": "/" });
    const seen: string[] = [];
    const ended = new Promise<void>((resolve) => stream.on("close", resolve));
    stream.on("response", ({ ":status": status }) => seen.push(String(status)));
    stream.on("error", (error: NodeJS.ErrnoException) => seen.push(error.code!));
    stream.resume();
    stream.end(Buffer.alloc(byteCount));
    await ended;
    expect(seen).toEqual([byteCount > 10_000_000 ? "ERR_HTTP2_STREAM_ERROR" : "413"]);
    session.destroy();
  },
);
