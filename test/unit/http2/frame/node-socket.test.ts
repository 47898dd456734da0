import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { readSocket } from "../../../../src/http2/frame/node-socket.ts";

const open: { close(): void }[] = [];

/** Both ends of a connection, the server's as `net.Server` makes it. */
async function pair(): Promise<{ client: net.Socket; accepted: net.Socket }> {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [accepted] = (await once(server, "connection")) as [net.Socket];
  open.push({
    close: () => {
      client.destroy();
      accepted.destroy();
      server.close();
    },
  });
  return { client, accepted };
}

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

test("chunks of two sockets come in one shared buffer, whole and in order", async () => {
  const pairs = [await pair(), await pair()];
  const buffers = new Set<ArrayBufferLike>();
  const seen = ["", ""];
  for (const [i, { accepted }] of pairs.entries()) {
    readSocket(accepted, (chunk) => {
      buffers.add(chunk.buffer);
      seen[i] += chunk.toString("latin1");
    });
  }
  const texts = ["a".repeat(400_000), "b".repeat(300_000)];
  for (const [i, { client }] of pairs.entries()) client.write(texts[i]!);
  await expect.poll(() => seen.map((text) => text.length)).toEqual([400_000, 300_000]);
  expect(seen).toEqual(texts);
  expect(buffers.size).toBe(1);
});

test("bytes that were read and put back come first", async () => {
  const { client, accepted } = await pair();
  client.write("first");
  const [chunk] = (await once(accepted, "data")) as [Buffer];
  accepted.pause();
  accepted.unshift(chunk);
  let seen = "";
  readSocket(accepted, (bytes) => {
    seen += bytes.toString();
  });
  accepted.resume();
  client.write(" second");
  await expect.poll(() => seen).toBe("first second");
});

test("a paused socket is not read, and the end of the peer is heard", async () => {
  const { client, accepted } = await pair();
  let seen = 0;
  readSocket(accepted, (bytes) => {
    seen += bytes.length;
  });
  client.write("x");
  await expect.poll(() => seen).toBe(1);
  accepted.pause();
  client.write("y".repeat(100));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(seen).toBe(1);
  accepted.resume();
  const ended = once(accepted, "end");
  client.end();
  await ended;
  expect(seen).toBe(101);
});
