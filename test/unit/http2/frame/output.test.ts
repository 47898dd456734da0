import { expect, test } from "vitest";
import { CONTINUATION, DATA, HEADERS, PING } from "../../../../src/http2/frame/frame.ts";
import { Output } from "../../../../src/http2/frame/output.ts";
import { frame } from "../../../support/clients/raw-http2-client.ts";
import { socketPair } from "../../../support/servers/tested-servers.ts";

/** An output on a real socket, and what its peer has received. */
async function start() {
  const { client: socket, accepted: peer } = await socketPair();
  const chunks: Buffer[] = [];
  peer.on("data", (chunk: Buffer) => chunks.push(chunk));
  return {
    output: new Output(socket, 16_384),
    socket,
    peer,
    received: () => Buffer.concat(chunks),
  };
}

test("frames of one turn leave together, in the order they were made", async () => {
  const { output, socket, received } = await start();
  const block = Buffer.of(0x88);
  output.headers(1, undefined, block, false);
  output.data(1, Buffer.from("small"), 0, 5, false);
  const large = Buffer.alloc(16_000, 3);
  output.data(1, large, 0, large.length, true);
  output.control(PING, 1, Buffer.from("12345678"), 0, 8);
  expect(socket.bytesWritten).toBe(0);
  const expected = Buffer.concat([
    frame(HEADERS, 4, 1, block),
    frame(DATA, 0, 1, Buffer.from("small")),
    frame(DATA, 1, 1, large),
    frame(PING, 1, 0, Buffer.from("12345678")),
  ]);
  await expect.poll(() => received().length).toBe(expected.length);
  expect(received().equals(expected)).toBe(true);
});

test("a body of 480 KiB leaves in one write, and what is more than 512 KiB does not wait for the turn's end", async () => {
  const { output, socket, received } = await start();
  const piece = Buffer.alloc(16_384, 3);
  const frameAll = (count: number) => {
    for (let i = 0; i < count; i++) {
      output.hasRoom();
      output.data(1, piece, 0, piece.length, false);
    }
  };
  frameAll(30);
  expect([output.hasRoom(), socket.bytesWritten]).toEqual([true, 0]);
  frameAll(3);
  expect(output.pendingBytes).toBeLessThanOrEqual(2 * (9 + piece.length));
  expect(socket.bytesWritten).toBeGreaterThan(31 * piece.length);
  await expect.poll(() => received().length).toBe(33 * (9 + piece.length));
});

test("a block above the frame size is continued", async () => {
  const { output, received } = await start();
  output.headers(1, Buffer.of(0x88), Buffer.alloc(20_000, 0x82), true);
  const block = Buffer.concat([Buffer.of(0x88), Buffer.alloc(20_000, 0x82)]);
  const expected = [
    frame(HEADERS, 1, 1, block.subarray(0, 16_384)),
    frame(CONTINUATION, 4, 1, block.subarray(16_384)),
  ];
  await expect.poll(() => received().equals(Buffer.concat(expected))).toBe(true);
});

test("memory that the socket still holds is not written over", async () => {
  const { output, socket, peer, received } = await start();
  peer.pause();
  let rounds = 0;
  while (socket.writableLength === 0) {
    output.data(1, Buffer.alloc(8_000, rounds++), 0, 8_000, false);
    output.flush();
  }
  for (let i = 0; i < 20; i++) {
    output.data(1, Buffer.alloc(8_000, rounds++), 0, 8_000, false);
    output.flush();
  }
  expect(output.blocked).toBe(true);
  expect(output.hasRoom()).toBe(false);
  peer.resume();
  await expect.poll(() => received().length, { timeout: 10_000 }).toBe(rounds * 8_009);
  const bytes = received();
  for (let i = 0; i < rounds; i++)
    expect([bytes[i * 8_009 + 9], bytes[i * 8_009 + 8_008]]).toEqual([i & 255, i & 255]);
});

test("what is left for a destroyed socket is dropped", async () => {
  const { output, socket } = await start();
  output.goaway(1, 0, "gone");
  socket.destroy();
  output.flush();
  expect(output.waitingBytes).toBe(0);
});

test("connections that write in the same turn, by turns and more than their room, keep their octets apart", async () => {
  const all = await Promise.all(Array.from({ length: 6 }, start));
  const bodies = all.map((_, index) => Buffer.alloc(7_000, index + 1));
  const rounds = 5;
  for (let round = 0; round < rounds; round++) {
    for (const [index, { output }] of all.entries()) output.data(1, bodies[index]!, 0, 7_000, false);
  }
  for (const [index, { received }] of all.entries()) {
    const expected = Buffer.concat(Array.from({ length: rounds }, () => frame(DATA, 0, 1, bodies[index]!)));
    await expect.poll(() => received().length).toBe(expected.length);
    expect(received().equals(expected)).toBe(true);
  }
});
