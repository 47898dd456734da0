import { beforeEach, expect, test } from "vitest";
import { rawConnection } from "../../support/clients/raw-connection.ts";
import { testedEdge } from "../../support/servers/tested-servers.ts";

let port: number;
beforeEach(async () => {
  ({ port } = await testedEdge({ limits: { headerTimeoutMs: 300 } }));
});
async function livez(): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}/livez`)).status;
}

test("a preface that comes byte by byte is served as HTTP/2", async () => {
  const raw = await rawConnection(port);
  raw.socket.setNoDelay(true);
  for (const byte of "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") {
    await new Promise<void>((resolve) => raw.socket.write(byte, () => resolve()));
  }
  raw.write(Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0));
  // The server's first frame is SETTINGS on stream 0.
  await raw.until((text) => text.length >= 9 && text.slice(3, 9) === "\x04\0\0\0\0\0");
  raw.socket.destroy();
  await raw.closed();
});

test("a request that comes byte by byte is served as HTTP/1.1", async () => {
  const raw = await rawConnection(port);
  raw.socket.setNoDelay(true);
  for (const byte of "GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n") {
    await new Promise<void>((resolve) => raw.socket.write(byte, () => resolve()));
  }
  expect((await raw.closed()).toString()).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*\{"status":"live"\}/);
});

test.each([
  ["random bytes", Buffer.from("8f3a00ff17", "hex")],
  ["a line that is no request", "hello there\r\n"],
  ["HTTP/0.9", "GET /\r\n"],
])("%s closes the connection without an answer, and the next call works", async (_, bytes) => {
  const raw = await rawConnection(port);
  raw.write(bytes);
  expect(await raw.closed()).toHaveLength(0);
  expect(await livez()).toBe(200);
});

test.each(["", "GET / HT", "PRI * HTT"])(
  "a connection that stops after %j is closed in time",
  async (bytes) => {
    const raw = await rawConnection(port);
    raw.write(bytes);
    expect(await raw.closed()).toHaveLength(0);
    expect(await livez()).toBe(200);
  },
);

test("a connection that says nothing may still be used after the time of a head", async () => {
  const raw = await rawConnection(port);
  const slow = await rawConnection(port);
  slow.write("GET / HT");
  await slow.closed();
  raw.write("GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  expect((await raw.closed()).toString()).toMatch(/^HTTP\/1\.1 200 OK/);
});

test("a client that closes its side before it said anything is closed", async () => {
  const raw = await rawConnection(port, true);
  raw.socket.end("GE");
  expect(await raw.closed()).toHaveLength(0);
});

test("a client that closes its side after its request is answered", async () => {
  const raw = await rawConnection(port, true);
  raw.socket.end("GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  expect((await raw.closed()).toString()).toMatch(/^HTTP\/1\.1 200 OK/);
});
