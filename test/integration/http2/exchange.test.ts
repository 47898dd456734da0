import { expect, test } from "vitest";
import { DATA, FLAG_END_STREAM, HEADERS, RST_STREAM } from "../../../src/http2/frame/frame.ts";
import { encodeFields } from "../../../src/http2/hpack/hpack-encoder.ts";
import { type CancelReason, headerBlock, type ServerStream } from "../../../src/http2/stream.ts";
import {
  data,
  fragmented,
  REQUEST,
  request,
  reset,
  settings,
} from "../../support/clients/raw-http2-client.ts";
import { DONE, echo, OK } from "../../support/servers/http2-server.ts";
import { connected } from "../../support/servers/tested-servers.ts";

test("a request's body comes back with head and trailers", async () => {
  const { client } = await connected();
  client.send(
    request(1, { endStream: false }),
    data(1, Buffer.from("abc")),
    data(1, Buffer.from("def"), true),
  );
  const response = await client.response(1);
  expect(response.fields.get(":status")).toBe("200");
  expect(response.body.toString()).toBe("abcdef");
  expect(response.trailers.get("grpc-status")).toBe("0");
});

test("all answers of a turn leave in one write", async () => {
  const { client } = await connected();
  const chunks: Buffer[] = [];
  client.socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ids = Array.from({ length: 20 }, (_, i) => 2 * i + 1);
  client.send(
    ...ids.flatMap((id) => [request(id, { endStream: false }), data(id, Buffer.from(`body ${id}`), true)]),
  );
  await client.response(39);
  expect(chunks).toHaveLength(1);
});

test("the same header block gives the same Headers object, until the table changes", async () => {
  const seen: ServerStream[] = [];
  const { client, server } = await connected((stream) => {
    seen.push(stream);
    echo(stream);
  });
  client.send(request(1), request(3), request(5));
  // A literal with incremental indexing changes the table.
  const changing = Buffer.concat([encodeFields(REQUEST), Buffer.from("4001610162", "hex")]);
  client.send(...fragmented(7, changing, 16_384));
  client.send(request(9));
  await client.response(9);
  const [a, b, c, d, e] = seen.map((stream) => stream.headers);
  expect(a).toBe(b);
  expect(a).toBe(c);
  expect(d).not.toBe(a);
  expect(d!.get("a")).toBe("b");
  expect(e).not.toBe(a);
  expect(server.engine.counters.headerBlocksKnown).toBe(2);
});

test("a header block may come in CONTINUATION frames", async () => {
  const { client } = await connected();
  client.send(...fragmented(1, encodeFields([...REQUEST, ["x", "y".repeat(100)]]), 20));
  expect((await client.response(1)).fields.get(":status")).toBe("200");
});

test("request trailers end the request", async () => {
  const { client } = await connected();
  client.send(request(1, { endStream: false }), data(1, Buffer.from("abc")));
  client.send(request(1, { fields: [["x-checksum", "1"]] }));
  expect((await client.response(1)).body.toString()).toBe("abc");
});

test("a response block longer than a frame goes out in CONTINUATION frames", async () => {
  const long = headerBlock([["x-long", "\u00ff".repeat(40_000)]]);
  const { client } = await connected((stream) => stream.respond(200, long, true));
  client.send(request(1));
  const head = await client.next((f) => f.type === HEADERS);
  expect([head.flags, head.payload.length]).toEqual([FLAG_END_STREAM, 16_384]);
  expect((await client.next(() => true)).type).toBe(9);
  expect((await client.next(() => true)).flags).toBe(4);
});

test("body that comes before the handler listens is held and then handed over", async () => {
  let late: ServerStream | undefined;
  const { client } = await connected((stream) => {
    late = stream;
  });
  client.send(
    request(1, { endStream: false }),
    data(1, Buffer.from("early")),
    data(1, Buffer.from(" bird"), true),
  );
  client.send(request(3));
  await expect.poll(() => late?.path).toBe("/echo");
  const first = late!;
  const pieces: string[] = [];
  await new Promise<void>((resolve) => {
    first.onData = (bytes, end) => {
      pieces.push(Buffer.from(bytes).toString());
      if (end) resolve();
    };
    expect(pieces).toEqual([]);
  });
  first.respond(200, OK, true);
});

test("a peer's reset reaches the handler once, and later calls do nothing", async () => {
  const reasons: CancelReason[] = [];
  let stream: ServerStream | undefined;
  const { client, server } = await connected((s) => {
    stream = s;
    s.onCancel = (reason) => reasons.push(reason);
  });
  client.send(request(1, { endStream: false }), reset(1, 8));
  await expect.poll(() => reasons).toEqual([{ kind: "reset", code: 8 }]);
  stream!.respond(200, OK);
  expect(stream!.write(Buffer.from("x"))).toBe(true);
  stream!.trailers(DONE);
  stream!.consume(10);
  stream!.reset(2);
  client.send(request(3));
  await expect.poll(() => stream?.path).toBe("/echo");
  expect(client.frames.filter((f) => f.streamId === 1)).toEqual([]);
  expect(server.engine.counters).toMatchObject({ streamsCancelled: 1, resetsReceived: 1, resetsSent: 0 });
});

test("a lost connection cancels its open streams and none that has ended", async () => {
  const reasons: CancelReason[] = [];
  const { client, server } = await connected((stream) => {
    stream.onCancel = (reason) => reasons.push(reason);
    if (stream.path === "/echo") stream.respond(200, OK, true);
  });
  client.send(request(1), request(3, { fields: [...REQUEST.slice(0, 2), [":path", "/wait"]] }));
  await client.response(1);
  await client.close();
  await expect.poll(() => server.engine.counters.connectionsOpen).toBe(0);
  expect(reasons).toEqual([{ kind: "connection-lost" }]);
});

test("a response before the request's end stops the peer with RST_STREAM NO_ERROR", async () => {
  const { client } = await connected((stream) => stream.respond(404, OK, true));
  client.send(request(1, { endStream: false }));
  expect((await client.response(1)).fields.get(":status")).toBe("404");
  const stop = await client.next((f) => f.type === RST_STREAM);
  expect(stop.payload.readUInt32BE(0)).toBe(0);
  // What was on its way is ignored.
  client.send(data(1, Buffer.from("late"), true), request(3));
  expect((await client.response(3)).fields.get(":status")).toBe("404");
});

test("an answer in the same turn as the request's end needs no reset", async () => {
  const { client, server } = await connected((stream) => stream.respond(404, OK, true));
  client.send(request(1, { endStream: false }), data(1, Buffer.from("x"), true));
  await client.response(1);
  expect(server.engine.counters).toMatchObject({ resetsSent: 0, streamsCompleted: 1 });
});

test("a handler that throws resets its stream with INTERNAL_ERROR, and the error is told", async () => {
  const failure = new Error("a bug");
  const { client, server } = await connected((stream) => {
    if (stream.method === "POST") throw failure;
    stream.onData = () => {
      throw failure;
    };
  });
  client.send(request(1), request(3, { fields: [[":method", "GET"], ...REQUEST.slice(1)] }));
  expect((await client.response(1)).resetCode).toBe(2);
  expect((await client.response(3)).resetCode).toBe(2);
  expect(server.errors).toEqual([failure, failure]);
});

test("expect: 100-continue is answered when the handler waits for the body", async () => {
  const { client } = await connected();
  client.send(request(1, { fields: [...REQUEST, ["expect", "100-continue"]], endStream: false }));
  const interim = await client.next((f) => f.type === HEADERS);
  expect([interim.flags & FLAG_END_STREAM, interim.payload.toString("hex")]).toEqual([
    0,
    encodeFields([[":status", "100"]]).toString("hex"),
  ]);
  client.send(data(1, Buffer.from("abc"), true));
  expect((await client.response(1)).body.toString()).toBe("abc");
});

test("CONNECT is not implemented, and extended CONNECT is malformed", async () => {
  const { client } = await connected();
  client.send(
    request(1, {
      fields: [
        [":method", "CONNECT"],
        [":authority", "h:1"],
      ],
      endStream: false,
    }),
  );
  expect((await client.response(1)).fields.get(":status")).toBe("501");
  client.send(
    request(3, { fields: [[":method", "CONNECT"], [":protocol", "websocket"], ...REQUEST.slice(1)] }),
  );
  expect((await client.response(3)).resetCode).toBe(1);
});

test("a header list above the limit is answered 431 and the connection goes on", async () => {
  const { client, server } = await connected();
  client.send(...fragmented(1, encodeFields([...REQUEST, ["x", "y".repeat(20_000)]]), 16_384));
  expect((await client.response(1)).fields.get(":status")).toBe("431");
  client.send(request(3));
  expect((await client.response(3)).fields.get(":status")).toBe("200");
  expect(server.engine.counters.headerListsTooLarge).toBe(1);
});

test("a peer that makes its HPACK table smaller is told that none is used", async () => {
  const { client } = await connected(echo, settings([1, 0]));
  client.send(request(1));
  const head = await client.next((f) => f.type === HEADERS);
  expect(head.payload.subarray(0, 2).toString("hex")).toBe("2088");
});

test("a body that is not as long as content-length says is a PROTOCOL_ERROR of the stream", async () => {
  const { client } = await connected();
  client.send(
    request(1, { fields: [...REQUEST, ["content-length", "4"]], endStream: false }),
    data(1, Buffer.from("abc"), true),
  );
  expect((await client.response(1)).resetCode).toBe(1);
});

test("write before respond is a mistake that shows", async () => {
  const { client, server } = await connected((stream) => {
    stream.write(Buffer.from("x"));
  });
  client.send(request(1));
  expect((await client.response(1)).resetCode).toBe(2);
  expect(String(server.errors[0])).toContain("write before respond");
});

test("DATA frames of a large body are cut at the peer's frame size", async () => {
  const { client } = await connected((stream) => {
    stream.respond(200, OK);
    stream.write(Buffer.alloc(50_000, 1), true);
  });
  client.send(request(1));
  const lengths: number[] = [];
  for (let last = false; !last; ) {
    const f = await client.next((other) => other.type === DATA);
    lengths.push(f.payload.length);
    last = (f.flags & FLAG_END_STREAM) !== 0;
  }
  expect(lengths).toEqual([16_384, 16_384, 16_384, 848]);
});
