import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { EdgeLimits } from "../../../../src/edge/call/limits.ts";
import { createHttp1Engine } from "../../../../src/edge/http1/http1-engine.ts";
import { PlainStream } from "../../../../src/edge/http1/plain-stream.ts";
import type { Engine } from "../../../../src/edge/listen/engine.ts";
import { createMemoryBudget, type MemoryBudget } from "../../../../src/edge/memory/memory-budget.ts";
import { headerBlock, type ServerStream } from "../../../../src/http2/stream.ts";
import { type RawConnection, rawConnection } from "../../../support/clients/raw-connection.ts";
import { LIMITS } from "../../../support/servers/fake-services.ts";

let engine: Engine;
let server: Server;
let memory: MemoryBudget;
const accepted: Socket[] = [];
afterEach(() => {
  vi.useRealTimers();
  engine.abort({ kind: "drain-limit" });
  server.close();
  accepted.length = 0;
});

/** Connects to an engine that reads plain requests to /hot by hand. */
async function connected(
  onStream: (stream: ServerStream) => void,
  limits: Partial<EdgeLimits> = {},
): Promise<RawConnection> {
  memory = createMemoryBudget(2 ** 30);
  engine = createHttp1Engine({ ...LIMITS, ...limits }, onStream, memory, (path) => path.startsWith("/hot"));
  server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    accepted.push(socket);
    engine.accept(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const raw = await rawConnection((server.address() as AddressInfo).port);
  while (accepted.length === 0) await once(server, "connection");
  return raw;
}

const request = (path: string, body = "", more = "") =>
  `POST ${path} HTTP/1.1\r\nhost: a\r\n${more}content-length: ${body.length}\r\n\r\n${body}`;

function answer(stream: ServerStream, text: string): void {
  stream.respond(200, headerBlock([["content-length", String(text.length)]]));
  stream.write(Buffer.from(text), true);
}

/** What a stream's body was, once it has ended. */
function body(stream: ServerStream): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const onData: ServerStream["onData"] = (bytes, end) => {
      text += Buffer.from(bytes).toString("latin1");
      stream.consume(bytes.length);
      if (end) resolve(text);
    };
    stream.onData = onData;
  });
}

/** Answers each request with what it was. */
function echo(stream: ServerStream): void {
  void body(stream).then((text) =>
    answer(stream, `<${stream instanceof PlainStream ? "hand" : "node"} ${text}>`),
  );
}

const bodies = (text: string) => text.match(/<.*?>/g) ?? [];

test("plain requests are read by hand, and a connection is node:http's from the first other one on", async () => {
  const raw = await connected(echo);
  raw.write(
    request("/hot", "1") +
      request("/hot", "2") +
      request("/hot?x", "3") +
      request("/hot", "4") +
      request("/hot", "5"),
  );
  await raw.until((text) => bodies(text).length === 5);
  expect(bodies(raw.received().toString())).toEqual([
    "<hand 1>",
    "<hand 2>",
    "<node 3>",
    "<node 4>",
    "<node 5>",
  ]);
  raw.write(request("/hot", "6"));
  await raw.until((text) => bodies(text).at(-1) === "<node 6>");
});

test("a request may come in any pieces, octet by octet too", async () => {
  const raw = await connected(echo);
  for (const octet of request("/hot", "abc", "x: y\r\n")) {
    await new Promise<void>((resolve) => raw.socket.write(octet, () => setImmediate(resolve)));
  }
  await raw.until((text) => text.includes("abc>"));
  const all = request("/hot", "one") + request("/hot", "two");
  for (let cut = 1; cut < all.length; cut += 7) {
    const before = bodies(raw.received().toString()).length;
    raw.write(all.slice(0, cut));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    raw.write(all.slice(cut));
    await raw.until((text) => bodies(text).length === before + 2);
    expect(bodies(raw.received().toString()).slice(-2).join()).toMatch(/^<\w+ one>,<\w+ two>$/);
  }
});

test("what is another's waits until those before it are answered, and is read whole then", async () => {
  const streams: ServerStream[] = [];
  const raw = await connected((stream) => streams.push(stream));
  raw.write(request("/hot", "1") + request("/hot", "2"));
  await expect.poll(() => streams.length).toBe(2);
  const cold = `GET /cold HTTP/1.1\r\nhost: a\r\n\r\n${request("/hot", "3").slice(0, 30)}`;
  const readBytes = accepted[0]!.bytesRead + cold.length;
  raw.write(cold);
  await expect.poll(() => accepted[0]!.bytesRead).toBe(readBytes);
  answer(streams[1]!, "<2>");
  expect(streams.length).toBe(2);
  answer(streams[0]!, "<1>");
  await expect.poll(() => streams.length).toBe(3);
  expect(streams[2]!.path).toBe("/cold");
  answer(streams[2]!, "<cold>");
  raw.write(request("/hot", "3").slice(30));
  await expect.poll(() => streams.length).toBe(4);
  answer(streams[3]!, `<${await body(streams[3]!)}>`);
  await raw.until((text) => text.endsWith("<3>"));
  expect(bodies(raw.received().toString())).toEqual(["<1>", "<2>", "<cold>", "<3>"]);
});

test("answers leave in the order of their requests, whichever is ready first", async () => {
  const streams: ServerStream[] = [];
  const raw = await connected((stream) => streams.push(stream));
  raw.write(request("/hot").repeat(20));
  await expect.poll(() => streams.length).toBe(8);
  for (let i = 0; i < 20; i += 4) {
    await expect.poll(() => streams.length).toBeGreaterThanOrEqual(Math.min(20, i + 8));
    for (const late of [3, 1, 2, 0]) answer(streams[i + late]!, `<${i + late}>`);
  }
  await raw.until((text) => text.endsWith("<19>"));
  expect(bodies(raw.received().toString())).toEqual(Array.from({ length: 20 }, (_, i) => `<${i}>`));
});

test("a body that comes before somebody listens is kept, and no further than the window", async () => {
  let stream: ServerStream | undefined;
  const raw = await connected(
    (one) => {
      stream = one;
    },
    { streamWindowBytes: 100_000 },
  );
  const text = "x".repeat(1_000_000);
  raw.write(request("/hot", text));
  await once(accepted[0]!, "pause");
  expect(accepted[0]!.bytesRead).toBeLessThan(300_000);
  expect(await body(stream!)).toBe(text);
  answer(stream!, "<done>");
  await raw.until((all) => all.endsWith("<done>"));
});

test("a peer that takes no answers has its further requests wait", async () => {
  let served = 0;
  const raw = await connected((stream) => {
    served++;
    answer(stream, "y".repeat(300_000));
  });
  raw.socket.pause();
  raw.write(request("/hot").repeat(100));
  await expect.poll(() => accepted[0]!.writableNeedDrain).toBe(true);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(served).toBeLessThan(50);
  raw.socket.resume();
  await expect.poll(() => served, { timeout: 10_000 }).toBe(100);
});

test("what a peer sends behind requests that are not answered is read no further than 64 KiB and a read", async () => {
  const raw = await connected(() => {});
  const paused = once(accepted[0]!, "pause");
  raw.write(request("/hot").repeat(20_000));
  await paused;
  expect(accepted[0]!.bytesRead).toBeLessThan(200_000);
});

test("answers without a length are chunked, with trailers behind them, and the connection goes on", async () => {
  const raw = await connected((stream) => {
    stream.respond(200, headerBlock([["x", "y"]]));
    process.nextTick(() => {
      stream.write(Buffer.from("abc"));
      stream.write(Buffer.from("de"));
      stream.trailers(headerBlock([["z", "1"]]));
    });
  });
  raw.write(request("/hot").repeat(2));
  const text = await raw.until((all) => all.split("z: 1\r\n\r\n").length === 3);
  expect(text).toContain("transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nz: 1\r\n\r\n");
});

describe("a request that is answered before its body has come", () => {
  test("has the rest of it read into nothing, and the next one is served", async () => {
    const raw = await connected((stream) => {
      if (stream.path === "/hot/early") answer(stream, "<early>");
      else echo(stream);
    });
    raw.write(request("/hot/early", "x".repeat(500_000)) + request("/hot", "next"));
    await raw.until((text) => text.endsWith("<hand next>"));
    expect(bodies(raw.received().toString())).toEqual(["<early>", "<hand next>"]);
  });

  test("ends its connection where it is the last", async () => {
    const raw = await connected((stream) => answer(stream, "<last>"));
    engine.announceDrain();
    raw.write(request("/hot", "x".repeat(1000)).slice(0, -500));
    expect((await raw.closed()).toString()).toMatch(/connection: close\r\n.*<last>$/s);
  });
});

test("a last answer is taken whole by a peer that reads slowly", async () => {
  const raw = await connected((stream) => answer(stream, `${"z".repeat(20_000_000)}<end>`));
  engine.announceDrain();
  raw.socket.pause();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  raw.write(request("/hot"));
  await expect.poll(() => accepted[0]!.writableLength).toBeGreaterThan(0);
  // Longer than a peer is given to close its side.
  await vi.advanceTimersByTimeAsync(2500);
  vi.useRealTimers();
  raw.socket.resume();
  expect((await raw.closed()).toString().endsWith("<end>")).toBe(true);
});

test("a handler is told when its peer goes, and nothing it does then does harm", async () => {
  const cancelled = new Promise<string>((resolve) => {
    void connected((stream) => {
      const onCancel: ServerStream["onCancel"] = ({ kind }) => {
        answer(stream, "late");
        stream.reset(0);
        resolve(kind);
      };
      stream.onCancel = onCancel;
    }).then((raw) => {
      raw.write(request("/hot"));
      raw.socket.destroy();
    });
  });
  expect(await cancelled).toBe("connection-lost");
});

test("octets that lie unread and answers that are not taken count as memory of requests", async () => {
  const streams: ServerStream[] = [];
  const raw = await connected((stream) => streams.push(stream));
  raw.write(request("/hot").repeat(1000));
  await expect.poll(() => memory.heldBytes).toBeGreaterThan(30_000);
  raw.socket.destroy();
  await expect.poll(() => memory.heldBytes).toBe(0);
});
