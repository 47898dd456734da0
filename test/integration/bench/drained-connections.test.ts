import { once } from "node:events";
import http2, { constants, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { benchRun } from "../../support/load/bench-run.ts";

const REQUEST = { features: [1] };
let server: http2.Http2Server;
let sessions: ServerHttp2Session[] = [];

/** A server of Connect's JSON over HTTP/2 that does something of its own with a stream, counted from 1; true: and answers it. */
async function start(onStream: (count: number, stream: http2.ServerHttp2Stream) => boolean): Promise<string> {
  let count = 0;
  sessions = [];
  server = http2.createServer();
  server.on("session", (session) => {
    sessions.push(session);
    session.on("error", () => {});
  });
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    if (!onStream(++count, stream)) return;
    stream.respond({ ":status": 200, "content-type": "application/json" });
    stream.end('{"scores":[1]}');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  for (const session of sessions) session.destroy();
  server.close();
  await once(server, "close");
});

function run(url: string, concurrency: string) {
  const flags = { server: url, protocol: "connect-json", "http-version": "2", concurrency, duration: "0.2" };
  return benchRun(flags, REQUEST);
}

test("a server that ends its connections by GOAWAY answers what it has, and is called on another one", async () => {
  const url = await start((count, stream) => {
    if (count % 20 === 0) stream.session!.close();
    return true;
  });
  // One call at a time: none is sent to a connection that ends.
  const report = await run(url, "1");
  expect(report).toMatchObject({ failed: 0, errors: [] });
  expect(report.calls).toBeGreaterThan(20);
  expect(sessions.length).toBeGreaterThan(1);
});

test("streams that are reset fail alone", async () => {
  const url = await start((count, stream) => {
    if (count % 10 === 0) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    return count % 10 !== 0;
  });
  const report = await run(url, "3");
  expect(report.errors).toMatchObject([
    { reason: "SERVER_UNREACHABLE", message: "the stream was reset with code 11" },
  ]);
  expect(report.failed).toBeLessThanOrEqual(Math.ceil(report.calls / 10) + 1);
  expect(sessions).toHaveLength(1);
});

test("pings are answered, and settings that change windows are taken while calls are in flight", async () => {
  let answered = 0;
  const url = await start((count, stream) => {
    const session = stream.session as ServerHttp2Session;
    if (count === 5) session.settings({ initialWindowSize: 10 });
    if (count === 25) session.settings({ initialWindowSize: 100_000 });
    if (count === 15) session.ping(() => answered++);
    stream.resume();
    return true;
  });
  const report = await run(url, "4");
  expect(report).toMatchObject({ failed: 0 });
  expect(report.calls).toBeGreaterThan(30);
  expect(answered).toBe(1);
});
