import { expect, test } from "vitest";
import { FLAG_ACK, GOAWAY, MAX_STREAM_ID, PING, readUint31 } from "../../../src/http2/frame/frame.ts";
import type { CancelReason, ServerStream } from "../../../src/http2/stream.ts";
import { data, frame, RawHttp2Client, request } from "../../support/clients/raw-http2-client.ts";
import { OK } from "../../support/servers/http2-server.ts";
import { connected } from "../../support/servers/tested-servers.ts";

async function start() {
  const streams: ServerStream[] = [];
  const reasons: CancelReason[] = [];
  const taken = await connected((stream) => {
    streams.push(stream);
    stream.onCancel = (reason) => reasons.push(reason);
  });
  return { ...taken, streams, reasons };
}

const lastStreamId = async (client: RawHttp2Client) =>
  readUint31((await client.next((f) => f.type === GOAWAY)).payload, 0);

test("GOAWAY comes twice; requests on their way are served, later ones ignored, then the connection closes", async () => {
  const { server, client, streams, reasons } = await start();
  client.send(request(1));
  await expect.poll(() => streams.length).toBe(1);
  const drained = server.engine.drain();
  expect(await lastStreamId(client)).toBe(MAX_STREAM_ID);
  const ping = await client.next((f) => f.type === PING);
  client.send(request(3), frame(PING, FLAG_ACK, 0, ping.payload));
  expect(await lastStreamId(client)).toBe(3);
  client.send(request(5, { endStream: false }), data(5, Buffer.from("late"), true));
  client.send(frame(PING, 0, 0, Buffer.alloc(8)));
  await client.next((f) => f.type === PING);
  expect(streams.map((stream) => stream.path)).toEqual(["/echo", "/echo"]);
  for (const stream of streams) stream.respond(200, OK, true);
  expect((await client.response(3)).fields.get(":status")).toBe("200");
  await drained;
  await client.untilClosed();
  expect(reasons).toEqual([]);
  expect(server.engine.counters).toMatchObject({ streamsCompleted: 2, streamsCancelled: 0, resetsSent: 0 });
});

test("a client that never answers the PING is not waited for", async () => {
  const { server, client } = await start();
  const drained = server.engine.drain();
  expect(await lastStreamId(client)).toBe(MAX_STREAM_ID);
  expect(await lastStreamId(client)).toBe(0);
  await drained;
});

test("at the drain limit handlers hear drain-limit and streams are reset", async () => {
  const { server, client, streams, reasons } = await start();
  client.send(request(1), request(3, { endStream: false }));
  await expect.poll(() => streams.length).toBe(2);
  const drained = server.engine.drain();
  const closed = server.engine.close();
  expect((await client.response(1)).resetCode).toBe(8);
  await Promise.all([drained, closed]);
  await client.untilClosed();
  expect(reasons).toEqual([{ kind: "drain-limit" }, { kind: "drain-limit" }]);
});

test("a connection that comes while draining is turned away with GOAWAY", async () => {
  const { server, client } = await start();
  await client.close();
  await server.engine.drain();
  const late = await RawHttp2Client.open(server.port).catch((error: Error) => error.message);
  if (typeof late !== "string") await late.untilClosed();
  await expect.poll(() => server.engine.counters.connectionsOpen).toBe(0);
});
