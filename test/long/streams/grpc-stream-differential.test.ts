import { once } from "node:events";
import http2 from "node:http2";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  PredictStreamRequestSchema,
  PredictStreamResponseSchema,
  StreamOptions_Lane,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.ts";
import { framed } from "../../support/clients/wire-octets.ts";
import { affineModel } from "../../support/models/onnx-model.ts";
import { type Core, startCore } from "../../support/servers/scoring-core.ts";
import { type StreamEdge, startStreamEdge } from "../../support/servers/stream-services.ts";

/** What a peer sends: the same octets go to the stream that is framed here and to Connect's handler. */
interface Script {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Where the body is cut into DATA frames. */
  readonly cuts: readonly number[];
  readonly isUnordered: boolean;
}

interface Answer {
  readonly headers: unknown;
  readonly trailers: Record<string, unknown>;
  readonly body: Buffer;
  readonly code: number;
}

const MAX_MESSAGE_BYTES = 20_000;
const PATH = "/assay.v1.ScoringService/PredictStream";
const ENGINES = ["assay", "node"] as const;
const model = affineModel(2);
let core: Core;
const sides = new Map<string, { edge: StreamEdge; client: http2.ClientHttp2Session }>();

beforeAll(async () => {
  core = await startCore({ model });
  for (const http2Engine of ENGINES) {
    for (const grpcStreams of ["assay", "connect"] as const) {
      const limits = { maxMessageBytes: MAX_MESSAGE_BYTES, idleTimeoutMs: 120_000 };
      const edge = await startStreamEdge(core, model, { http2Engine, grpcStreams, limits });
      const client = http2.connect(`http://127.0.0.1:${edge.port}`);
      sides.set(`${http2Engine} ${grpcStreams}`, { edge, client });
    }
  }
});

afterAll(async () => {
  for (const { client, edge } of sides.values()) {
    client.destroy();
    await edge.edge.close();
  }
  expect(core.batcher.depth).toEqual({ rows: 0, bytes: 0, running: 0, entries: 0 });
  await core.close();
});

function open(side: string, headers: Readonly<Record<string, string>>) {
  const stream = sides.get(side)!.client.request({
    ":method": "POST",
    ":path": PATH,
    "content-type": "application/grpc",
    te: "trailers",
    "x-request-id": "differential",
    ...headers,
  });
  const seen = { headers: {}, trailers: {}, body: [] as Buffer[] };
  stream.on("response", (fields, flags) => {
    // Trailers-Only: one block that is head and trailers.
    const { date: _, ...rest } = fields;
    if ((flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0) seen.trailers = rest;
    else seen.headers = rest;
  });
  stream.on("trailers", (fields) => {
    seen.trailers = { ...fields };
  });
  stream.on("data", (bytes: Buffer) => seen.body.push(bytes));
  stream.on("error", () => {});
  const closed = once(stream, "close");
  return {
    stream,
    async answer(): Promise<Answer> {
      await closed;
      return { ...seen, body: Buffer.concat(seen.body), code: stream.rstCode };
    },
  };
}

async function perform(side: string, script: Script): Promise<Answer> {
  const { stream, answer } = open(side, script.headers);
  let at = 0;
  for (const cut of script.cuts) {
    stream.write(script.body.subarray(at, at + cut));
    at += cut;
  }
  stream.end(script.body.subarray(at));
  return answer();
}

function frames(body: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    found.push(body.subarray(at, end));
    at = end;
  }
  return found;
}

/** Equal octets; in any order where the stream asked for none. */
function expectEqual(ours: Answer, connects: Answer, script: Script): void {
  const { body: ourBody, ...our } = ours;
  const { body: theirBody, ...their } = connects;
  expect(our).toEqual(their);
  const [mine, theirs] = [frames(ourBody), frames(theirBody)];
  if (script.isUnordered) for (const list of [mine, theirs]) list.sort(Buffer.compare);
  expect(mine).toHaveLength(theirs.length);
  for (const [i, frame] of theirs.entries()) expect(Buffer.compare(mine[i]!, frame)).toBe(0);
}

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 });
const rows = fc.array(fc.tuple(finite, finite), { minLength: 1, maxLength: 60 });
const rawTensor = (values: readonly (readonly number[])[], name = "x") => ({
  name,
  datatype: "FP32",
  shape: [BigInt(values.length), 2n],
  rawContents: new Uint8Array(Float32Array.from(values.flat()).buffer),
});
const typedTensor = (values: readonly (readonly number[])[]) => ({
  name: "x",
  datatype: "FP32",
  shape: [BigInt(values.length), 2n],
  contents: { fp32Contents: values.flat() },
});
const text = fc.string({ unit: "binary", maxLength: 6 });

const item = fc
  .record({
    itemId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    request: fc.option(
      fc.record({
        modelName: fc.oneof({ weight: 8, arbitrary: fc.constant("affine") }, { weight: 1, arbitrary: text }),
        requestId: fc.oneof(fc.constant(""), text),
        inputs: fc.oneof(
          { weight: 4, arbitrary: rows.map((values) => [rawTensor(values)]) },
          { weight: 2, arbitrary: rows.map((values) => [typedTensor(values)]) },
          {
            weight: 1,
            arbitrary: rows.map((values) => [rawTensor(values.map(([a]) => [a, Number.POSITIVE_INFINITY]))]),
          },
          { weight: 1, arbitrary: rows.map((values) => [rawTensor(values, "z"), rawTensor(values)]) },
          { weight: 1, arbitrary: fc.constant([]) },
        ),
        features: fc.oneof(fc.constant([]), fc.array(finite, { maxLength: 3 })),
      }),
      { freq: 10, nil: undefined },
    ),
  })
  .map((fields) => {
    const message = create(
      PredictStreamRequestSchema,
      fields as MessageInitShape<typeof PredictStreamRequestSchema>,
    );
    return { bytes: Buffer.from(toBinary(PredictStreamRequestSchema, message)) };
  });

/** One piece of a body: nearly always a good message, because the first malformed one ends the stream. */
const piece = fc.oneof(
  { weight: 20, arbitrary: item.map(({ bytes }) => framed(0, bytes)) },
  { weight: 4, arbitrary: item.map(({ bytes }) => framed(1, gzipSync(bytes))) },
  { weight: 2, arbitrary: item.map(({ bytes }) => framed(1, brotliCompressSync(bytes))) },
  // A field that this server does not know, a message that comes twice, flags that mean nothing.
  {
    weight: 2,
    arbitrary: item.map(({ bytes }) => framed(0, Buffer.concat([bytes, Buffer.of(0xfa, 0x01, 2, 7, 7)]))),
  },
  { weight: 1, arbitrary: item.map(({ bytes }) => framed(0, Buffer.concat([bytes, bytes]))) },
  { weight: 1, arbitrary: fc.tuple(item, fc.nat(255)).map(([{ bytes }, flags]) => framed(flags, bytes)) },
  { weight: 1, arbitrary: fc.constant(framed(0, Buffer.alloc(0))) },
  { weight: 1, arbitrary: fc.constant(framed(1, Buffer.alloc(0))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }).map((bytes) => framed(0, bytes)) },
  { weight: 1, arbitrary: fc.constant(framed(1, gzipSync(Buffer.alloc(MAX_MESSAGE_BYTES + 1)))) },
);
const OVERSIZED = framed(0, Buffer.alloc(MAX_MESSAGE_BYTES + 1)).subarray(0, 100);
const tail = fc.oneof(
  { weight: 6, arbitrary: fc.constant(Buffer.alloc(0)) },
  { weight: 1, arbitrary: fc.constant(OVERSIZED) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 4 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: item.map(({ bytes }) => framed(0, bytes).subarray(0, -1)) },
);
const options = (unordered: boolean, lane: StreamOptions_Lane) =>
  framed(
    0,
    toBinary(
      PredictStreamRequestSchema,
      create(PredictStreamRequestSchema, { options: { unordered, lane } }),
    ),
  );

const headers = fc
  .record(
    {
      "content-type": fc.constantFrom("application/grpc", "application/grpc+proto", "Application/GRPC"),
      "grpc-encoding": fc.constantFrom("identity", "gzip", "br", "zstd", "gzip"),
      "grpc-accept-encoding": fc.constantFrom("gzip", "br, gzip", "identity", "deflate", ""),
      "grpc-timeout": fc.constantFrom("10S", "500H", "5", "1x", "123456789S", "-1S"),
      origin: fc.constant("https://example.org"),
    },
    { requiredKeys: [] },
  )
  // Most calls give no timeout that is malformed.
  .chain((all) =>
    fc.nat(3).map((keep): Record<string, string> => {
      const { "grpc-timeout": timeout, ...rest } = all;
      return keep === 0 && timeout !== undefined ? { ...rest, "grpc-timeout": timeout } : rest;
    }),
  );

const script: fc.Arbitrary<Script> = fc
  .record({
    headers,
    isUnordered: fc.boolean(),
    lane: fc.constantFrom<StreamOptions_Lane>(
      StreamOptions_Lane.LANE_UNSPECIFIED,
      StreamOptions_Lane.INTERACTIVE,
      StreamOptions_Lane.BULK,
      9 as StreamOptions_Lane,
    ),
    pieces: fc.array(piece, { maxLength: 12 }),
    tail,
    cuts: fc.array(fc.oneof(fc.nat(10), fc.nat(3000)), { maxLength: 30 }),
  })
  .map(({ pieces, tail: rest, isUnordered, lane, ...one }) => ({
    ...one,
    isUnordered,
    body: Buffer.concat([
      ...(lane === 0 && !isUnordered ? [] : [options(isUnordered, lane)]),
      ...pieces,
      rest,
    ]),
  }));

// One seed is always the same, so that a failure is a regression; the other is new in each run and printed.
const SEEDS = [20_261_122, Date.now() % 2 ** 31];

describe.each(ENGINES)("over the %s engine", (engine) => {
  test.each(SEEDS)("Connect's handler and ours answer the same octets alike (seed %d)", async (seed) => {
    const statuses = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(script, async (one) => {
        const [ours, connects] = await Promise.all([
          perform(`${engine} assay`, one),
          perform(`${engine} connect`, one),
        ]);
        expectEqual(ours!, connects!, one);
        const status = String(ours!.trailers["grpc-status"]);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }),
      { seed, numRuns: 250 },
    );
    // Streams that end well, malformed ones, unknown encodings.
    for (const status of ["0", "3", "8", "12", "13"]) expect(statuses.get(status) ?? 0).toBeGreaterThan(0);
  });

  test.each(["assay", "connect"])(
    "%s: a deadline ends an open stream after its answers, in the trailers",
    async (by) => {
      const { stream, answer } = open(`${engine} ${by}`, { "grpc-timeout": "300m" });
      stream.write(framed(0, toBinary(PredictStreamRequestSchema, good(7n))));
      const { trailers, body } = await answer();
      expect(trailers).toMatchObject({ "grpc-status": "4" });
      expect(trailers["grpc-message"]).toBe("no answer within 300 ms (the caller's timeout)");
      const [frame] = frames(body);
      expect(fromBinary(PredictStreamResponseSchema, frame!.subarray(5)).itemId).toBe(7n);
      const details = Buffer.from(String(trailers["grpc-status-details-bin"]), "base64");
      expect(fromBinary(StatusSchema, details).details[0]?.typeUrl).toContain("ErrorInfo");
    },
  );

  test.each(["assay", "connect"])(
    "%s: a cancelled stream leaves nothing behind and the connection serves on",
    async (by) => {
      const side = `${engine} ${by}`;
      for (let i = 0; i < 20; i++) {
        const { stream, answer } = open(side, {});
        for (let k = 0; k < i; k++)
          stream.write(framed(0, toBinary(PredictStreamRequestSchema, good(BigInt(k)))));
        if (i % 2 === 1) await once(stream, "response");
        stream.close(http2.constants.NGHTTP2_CANCEL);
        expect((await answer()).code).toBe(http2.constants.NGHTTP2_CANCEL);
      }
      const body = framed(0, toBinary(PredictStreamRequestSchema, good(3n)));
      const { trailers } = await perform(side, {
        headers: {},
        body,
        cuts: [],
        isUnordered: false,
      });
      expect(trailers["grpc-status"]).toBe("0");
      expect(core.batcher.depth).toEqual({ rows: 0, bytes: 0, running: 0, entries: 0 });
    },
  );
});

function good(itemId: bigint) {
  const request = { modelName: "affine", inputs: [rawTensor([[1, 2]])] };
  return create(PredictStreamRequestSchema, { itemId, request });
}
