import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createHttp1Engine } from "../../../../src/edge/http1/http1-engine.ts";
import type { Engine } from "../../../../src/edge/listen/engine.ts";
import { createMemoryBudget } from "../../../../src/edge/memory/memory-budget.ts";
import { headerBlock, type ServerStream } from "../../../../src/http2/stream.ts";
import { rawConnection } from "../../../support/clients/raw-connection.ts";
import { LIMITS } from "../../../support/servers/fake-services.ts";

let engine: Engine;
let server: Server;
afterEach(() => {
  engine.abort({ kind: "drain-limit" });
  server.close();
});

/** An engine behind a listening socket, with the server's side of each connection. */
async function listening(onStream: (stream: ServerStream) => void) {
  const accepted: Socket[] = [];
  engine = createHttp1Engine({ ...LIMITS, headerTimeoutMs: 30_000 }, onStream, createMemoryBudget(2 ** 30));
  server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    engine.accept(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { accepted, port: (server.address() as AddressInfo).port };
}

function answer(stream: ServerStream): void {
  stream.respond(200, headerBlock([["content-length", "1"]]));
  stream.write(Buffer.from("x"), true);
}

const get = (path: string | number) => `GET /${path} HTTP/1.1\r\nhost: a\r\n\r\n`;
const answers = (text: string) => text.split("200 OK").length - 1;

test("requests behind one that is not answered are read no further than a few of them, and are served in order once it is", async () => {
  const paths = Array.from({ length: 20_000 }, (_, index) => `/${index}`);
  const served: string[] = [];
  let first: ServerStream | undefined;
  const { accepted, port } = await listening((stream) => {
    served.push(stream.path);
    if (served.length === 1) first = stream;
    else answer(stream);
  });
  const raw = await rawConnection(port);
  raw.write(get(0));
  while (accepted.length === 0) await once(server, "connection");
  const paused = once(accepted[0]!, "pause");
  raw.write(
    paths
      .slice(1)
      .map((path) => get(path.slice(1)))
      .join(""),
  );
  await paused;
  const other = await rawConnection(port);
  other.write(get("other"));
  await other.until((text) => answers(text) === 1);
  expect(accepted[0]!.isPaused()).toBe(true);
  expect(accepted[0]!.bytesRead).toBeLessThan(200_000);
  expect(served.length).toBeLessThan(16);
  answer(first!);
  await raw.until((text) => answers(text) === paths.length);
  expect(served.filter((path) => path !== "/other")).toEqual(paths);
});

test("a request without a Host field, or with two, is refused by name, but HTTP/1.0 needs none", async () => {
  const { port } = await listening(answer);
  const text = async (request: string) => {
    const raw = await rawConnection(port);
    raw.write(request);
    return (await raw.closed()).toString();
  };
  expect(await text("GET / HTTP/1.1\r\n\r\n")).toMatch(/^HTTP\/1.1 400 .*has no Host field/s);
  expect(await text("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n")).toMatch(
    /^HTTP\/1.1 400 .*2 Host fields/s,
  );
  expect(await text("GET / HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1.1 200 .*x$/s);
});
