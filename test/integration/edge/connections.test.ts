import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { testedEdge } from "../../support/servers/tested-servers.ts";

const MIB = 1 << 20;
const GET = "GET /livez HTTP/1.1\r\nhost: a\r\n\r\n";
// Not what is tested here.
const MESSAGES = { maxMessageBytes: 64 * MIB, maxRequestMemoryBytes: 4n * 1024n ** 3n };

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function open(port: number, localAddress = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  sockets.push(socket);
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** What comes first. */
async function answer(socket: Socket): Promise<string> {
  socket.write(GET);
  const [chunk] = (await once(socket, "data")) as [Buffer];
  return chunk.toString();
}

/** Asks for an answer of `byteCount` octets and reads nothing. */
async function askUnread(port: number, byteCount: number): Promise<Socket> {
  const socket = await open(port);
  socket.pause();
  const body = JSON.stringify({ features: [1], request_id: "x".repeat(byteCount) });
  socket.write(`POST /predict HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  return socket;
}

describe("connections of one address", () => {
  test("leave room for others by default, and the refusal names the limit", async () => {
    const { port } = await testedEdge({ limits: { maxConnections: 8 } });
    for (let i = 0; i < 7; i++) expect(await answer(await open(port))).toMatch(/^HTTP\/1\.1 200 /);
    expect(await answer(await open(port))).toMatch(
      /^HTTP\/1\.1 503 [\s\S]*7 connections came from one address, .*\(max-connections-per-peer\)/,
    );
    expect(await answer(await open(port, "127.0.0.2"))).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("that never say a word do not keep others out, however many they are", async () => {
    const { port } = await testedEdge({ limits: { maxConnections: 20 } });
    for (let i = 0; i < 200; i++) await open(port);
    expect(await answer(await open(port, "127.0.0.2"))).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("are as many as the flag says", async () => {
    const { edge, port } = await testedEdge({ limits: { maxConnections: 8, maxConnectionsPerPeer: 2 } });
    const two = [await open(port), await open(port)];
    for (const socket of two) expect(await answer(socket)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await answer(await open(port))).toMatch(/max-connections-per-peer/);
    two[0]!.destroy();
    await expect.poll(() => edge.connectionCount).toBeLessThanOrEqual(2);
    expect(await answer(await open(port))).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe.each(["assay", "node"] as const)(
  "answers over HTTP/1.1, read by %s, that are not taken",
  (http1Requests) => {
    test("are bounded over all connections: those that hold the most end, and the rest is served", async () => {
      const { edge, port } = await testedEdge({
        http1Requests,
        // Nobody ends for being slow: that is the next test.
        limits: { ...MESSAGES, maxUnreadAnswerBytes: MIB, unreadTimeoutMs: 600_000 },
      });
      for (let i = 0; i < 4; i++) await askUnread(port, 16 * MIB);
      // The first may have ended by now, if the machine has other work.
      await expect.poll(() => edge.connectionCount).toBeGreaterThan(1);
      await expect.poll(() => edge.connectionCount).toBe(1);
      expect(await answer(await open(port))).toMatch(/^HTTP\/1\.1 200 /);
    });

    test("have a time; a peer that reads slowly is given its answer whole", async () => {
      const { edge, port } = await testedEdge({
        http1Requests,
        limits: { ...MESSAGES, unreadTimeoutMs: 1000, maxUnreadAnswerBytes: 64 * MIB },
      });
      await askUnread(port, 20 * MIB);
      const slow = await askUnread(port, 20 * MIB);
      const startedAt = performance.now();
      let received = 0;
      slow.on("data", (chunk) => {
        received += chunk.length;
        // A piece now and then, for longer than the time-out.
        if (performance.now() - startedAt > 2500) return;
        slow.pause();
        setTimeout(() => slow.resume(), 5);
      });
      slow.resume();
      await expect.poll(() => edge.connectionCount, { timeout: 15_000 }).toBe(1);
      await expect.poll(() => received, { timeout: 20_000 }).toBeGreaterThan(20 * MIB);
    });
  },
);
