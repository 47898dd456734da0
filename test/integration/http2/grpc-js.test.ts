import * as grpc from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import type { ServerStream } from "../../../src/http2/stream.ts";
import { headerBlock } from "../../../src/http2/stream.ts";
import { echo, type ListeningEngine } from "../../support/servers/http2-server.ts";
import { listening } from "../../support/servers/tested-servers.ts";

const bytes = (value: Buffer) => value;
const METHODS: grpc.ServiceDefinition = {
  unary: {
    path: "/t.Echo/Unary",
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
  bidi: {
    path: "/t.Echo/Bidi",
    requestStream: true,
    responseStream: true,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
};
const EchoClient = grpc.makeClientConstructor(METHODS, "Echo");

async function connect(
  handler: (stream: ServerStream) => void,
): Promise<{ server: ListeningEngine; client: grpc.Client }> {
  const server = await listening(handler);
  const client = new EchoClient(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
  onTestFinished(() => client.close());
  return { server, client };
}

const unary = (client: grpc.Client, body: Buffer, options: grpc.CallOptions = {}) =>
  new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest("/t.Echo/Unary", bytes, bytes, body, options, (error, value) =>
      error === null ? resolve(value!) : reject(error),
    );
  });

/** Echoes pieces as they come and stops consuming while the writer must wait. */
function stream(stream: ServerStream): void {
  let owed = 0;
  stream.respond(200, headerBlock([["content-type", "application/grpc"]]));
  stream.onDrain = () => {
    stream.consume(owed);
    owed = 0;
  };
  stream.onData = (piece, end) => {
    if (piece.length > 0) {
      const goesOn = stream.write(Buffer.from(piece));
      if (goesOn && owed === 0) stream.consume(piece.length);
      else owed += piece.length;
    }
    if (end) stream.trailers(headerBlock([["grpc-status", "0"]]));
  };
}

test("a thousand unary calls are answered, most of their header blocks known by their bytes", async () => {
  const { server, client } = await connect(echo);
  const bodies = Array.from({ length: 1_000 }, (_, i) => Buffer.from(`message ${i}`));
  const answers = await Promise.all(bodies.map((body) => unary(client, body)));
  expect(answers.map(String)).toEqual(bodies.map(String));
  const { headerBlocks, headerBlocksKnown } = server.engine.counters;
  expect(headerBlocks).toBe(1_000);
  expect(headerBlocksKnown).toBeGreaterThan(900);
});

test("a message of 3 MB passes both ways", async () => {
  const { client } = await connect(echo);
  const body = Buffer.alloc(3_000_000, "abcdefg");
  expect((await unary(client, body)).equals(body)).toBe(true);
});

test("a status without messages comes as trailers-only", async () => {
  const { client } = await connect((s) =>
    s.respond(
      200,
      headerBlock([
        ["content-type", "application/grpc"],
        ["grpc-status", "8"],
        ["grpc-message", "full"],
      ]),
      true,
    ),
  );
  await expect(unary(client, Buffer.from("x"))).rejects.toMatchObject({ code: 8, details: "full" });
});

test("a deadline cancels the stream on the server", async () => {
  let cancelled = "";
  const { client } = await connect((s) => {
    s.onCancel = (reason) => {
      cancelled = reason.kind;
    };
  });
  await expect(unary(client, Buffer.from("x"), { deadline: Date.now() + 100 })).rejects.toMatchObject({
    code: 4,
  });
  await expect.poll(() => cancelled).toBe("reset");
});

test("a bidi stream carries 40 MB both ways while the client reads slowly", async () => {
  const { client } = await connect(stream);
  const call = client.makeBidiStreamRequest("/t.Echo/Bidi", bytes, bytes);
  const message = Buffer.alloc(100_000, "row");
  let sent = 0;
  let received = 0;
  const send = () => {
    while (sent < 400) {
      sent++;
      if (!call.write(message)) {
        call.once("drain", send);
        return;
      }
    }
    call.end();
  };
  send();
  for await (const answer of call) {
    expect((answer as Buffer).equals(message)).toBe(true);
    received++;
    if (received % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(received).toBe(400);
});
