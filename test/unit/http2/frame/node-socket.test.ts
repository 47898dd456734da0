import { once } from "node:events";
import { expect, test } from "vitest";
import { readSocket } from "../../../../src/http2/frame/node-socket.ts";
import { socketPair } from "../../../support/servers/tested-servers.ts";

test("chunks of two sockets come in one shared buffer, whole and in order", async () => {
  const pairs = [await socketPair(), await socketPair()];
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
  const { client, accepted } = await socketPair();
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
  const { client, accepted } = await socketPair();
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
