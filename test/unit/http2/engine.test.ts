import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createHttp2Engine } from "../../../src/http2/engine.ts";
import { CLIENT_PREFACE, SETTINGS } from "../../../src/http2/frame/frame.ts";
import { frame, RawHttp2Client, request } from "../../support/clients/raw-http2-client.ts";
import { echo, listen } from "../../support/servers/http2-server.ts";

test("an engine without connections drains and closes at once", async () => {
  const engine = createHttp2Engine({ handler: echo });
  await engine.drain();
  await engine.close();
  expect(engine.counters.connectionsAccepted).toBe(0);
});

test("bytes that were read before count as the first of the connection", async () => {
  const engine = createHttp2Engine({ handler: echo });
  const server = net.createServer((socket) => {
    socket.once("data", (first) => {
      socket.pause();
      engine.accept(socket, first);
      socket.resume();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = await RawHttp2Client.connect((server.address() as AddressInfo).port);
  client.send(CLIENT_PREFACE, frame(SETTINGS, 0, 0), request(1));
  expect((await client.response(1)).fields.get(":status")).toBe("200");
  server.close();
  await engine.close();
  await client.untilClosed();
});

test("counters tell connections, streams and known header blocks", async () => {
  const server = await listen(echo);
  const client = await RawHttp2Client.open(server.port);
  client.send(request(1), request(3), request(5));
  await client.response(5);
  expect(server.engine.counters).toMatchObject({
    connectionsAccepted: 1,
    connectionsOpen: 1,
    streamsOpened: 3,
    streamsCompleted: 3,
    headerBlocks: 3,
    headerBlocksKnown: 2,
  });
  await server.stop();
});
