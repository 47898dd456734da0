import { expect, test } from "vitest";
import { CLIENT_PREFACE, DATA, FLAG_ACK, HEADERS, PING, SETTINGS } from "../../../src/http2/frame/frame.ts";
import {
  frame,
  RawHttp2Client,
  request,
  settings,
  windowUpdate,
} from "../../support/clients/raw-http2-client.ts";
import { echo, OK } from "../../support/servers/http2-server.ts";
import { listening } from "../../support/servers/tested-servers.ts";

test("a client that never sends its preface is let go", async () => {
  const server = await listening(echo, { handshakeTimeoutMs: 50 });
  const client = await RawHttp2Client.connect(server.port);
  expect(await client.goaway()).toMatchObject({ code: 1, reason: expect.stringContaining("preface") });
  await client.untilClosed();
});

test("a client that never acknowledges SETTINGS is let go", async () => {
  const server = await listening(echo, { handshakeTimeoutMs: 50 });
  const client = await RawHttp2Client.connect(server.port);
  client.send(CLIENT_PREFACE, frame(SETTINGS, 0, 0));
  expect(await client.goaway()).toMatchObject({ code: 4 });
});

test("a header block that is never completed ends the connection", async () => {
  const server = await listening(echo, { headerBlockTimeoutMs: 50 });
  const client = await RawHttp2Client.open(server.port);
  client.send(frame(HEADERS, 0, 1, Buffer.of(0x82)));
  expect(await client.goaway()).toMatchObject({ code: 11, reason: expect.stringContaining("header block") });
});

test("a silent connection is asked by PING, and closed without an answer", async () => {
  const server = await listening(echo, { keepaliveMs: 50 });
  const client = await RawHttp2Client.open(server.port);
  const ping = await client.next((f) => f.type === PING);
  client.send(frame(PING, FLAG_ACK, 0, ping.payload));
  await client.next((f) => f.type === PING);
  expect(await client.goaway()).toMatchObject({ code: 0, reason: "no answer to PING" });
});

test("a peer whose socket takes nothing is let go", async () => {
  const server = await listening(
    (stream) => {
      stream.respond(200, OK);
      const fill = () => {
        while (stream.write(Buffer.alloc(100_000)));
      };
      stream.onDrain = fill;
      fill();
    },
    { writeTimeoutMs: 50 },
  );
  const client = await RawHttp2Client.open(server.port, settings([4, 0x7fff_ffff]));
  client.socket.pause();
  client.send(windowUpdate(0, 0x7fff_0000), request(1));
  await expect
    .poll(() => [...server.engine.counters.goaways.keys()], { timeout: 10_000 })
    .toEqual([expect.stringContaining("CVE-2019-9517")]);
  await expect.poll(() => server.engine.counters.connectionsOpen).toBe(0);
  await client.close();
});

test("a finished response that gets no window is given up, and its memory with it", async () => {
  const server = await listening(
    (stream) => {
      stream.respond(200, OK);
      stream.write(Buffer.alloc(100_000), true);
    },
    { stalledResponseMs: 50 },
  );
  const client = await RawHttp2Client.open(server.port, settings([4, 1_000]));
  client.send(request(1));
  await client.next((f) => f.type === DATA);
  expect((await client.response(1)).resetCode).toBe(8);
  expect(server.engine.counters.streamsStalled).toBe(1);
  expect(server.engine.openStreams).toBe(0);
});
