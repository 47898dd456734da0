import { brotliCompressSync, gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { PredictRequestSchema, PredictResponseSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../../src/errors.ts";
import type { ScoringService } from "../../../src/service/scoring.ts";
import { type UnaryAnswer, UnaryPeer, type UnaryScript } from "../../support/clients/unary-exchange.ts";
import { framed } from "../../support/clients/wire-octets.ts";
import { affineModel } from "../../support/models/onnx-model.ts";
import {
  binaryRequest,
  damaged,
  HAND_WRITTEN_JSON,
  jsonRequest,
} from "../../support/models/unary-requests.ts";
import { type Core, startCore } from "../../support/servers/scoring-core.ts";
import { type StreamEdge, startStreamEdge } from "../../support/servers/stream-services.ts";

interface Form {
  readonly name: string;
  readonly version: 1 | 2;
  readonly engine: "assay" | "node";
  readonly type: string;
  readonly isFramed: boolean;
  readonly isJson: boolean;
  readonly path: string;
}

interface Side {
  readonly edge: StreamEdge;
  readonly peer: UnaryPeer;
  /** What it logged of its calls. */
  readonly lines: string[];
}

const MAX_MESSAGE_BYTES = 20_000;
const PREDICT = "/assay.v1.ScoringService/Predict";
const model = affineModel(2);
const sides = new Map<string, Side>();
let core: Core;

const FORMS: readonly Form[] = (["assay", "node"] as const).flatMap((engine) =>
  ([2, 1] as const).flatMap((version) => {
    // HTTP/1.1 has one engine; gRPC needs HTTP/2.
    if (version === 1 && engine === "node") return [];
    const of = (name: string, type: string, isFramed: boolean, isJson: boolean, path = PREDICT) => ({
      name: `${name} over HTTP/${version} (${engine})`,
      version,
      engine,
      type,
      isFramed,
      isJson,
      path,
    });
    return [
      ...(version === 2 ? [of("gRPC", "application/grpc", true, false)] : []),
      of("gRPC-Web", "application/grpc-web+proto", true, false),
      of("Connect binary", "application/proto", false, false),
      of("Connect JSON", "application/json", false, true),
      of("/predict", "application/json", false, true, "/predict/affine"),
    ];
  }),
);

/** Models by whose names a call is refused, or never answered. */
function between(scoring: ScoringService): ScoringService {
  return {
    ...scoring,
    predict(request, call) {
      if (request.modelName === "full") {
        return Promise.reject(new AssayError(Reason.QUEUE_FULL, "the queue is full", { retryAfterMs: 250 }));
      }
      if (request.modelName === "broken") return Promise.reject(new Error("a bug"));
      if (request.modelName === "scored") {
        const { requestId } = request;
        const scores = [0.5, -0, Number.NaN, 1e21];
        const labels = ["é", "", '"'];
        return Promise.resolve(create(PredictResponseSchema, { modelName: "m", requestId, scores, labels }));
      }
      if (request.modelName !== "hang") return scoring.predict(request, call);
      return new Promise((_, reject) => {
        const onCancel = () => reject(new AssayError(Reason.CANCELLED, "cancelled"));
        call.onCancel = onCancel;
      });
    },
  };
}

beforeAll(async () => {
  core = await startCore({ model });
  for (const http2Engine of ["assay", "node"] as const) {
    for (const unaryCalls of ["assay", "connect"] as const) {
      const lines: string[] = [];
      const write = (line: string) => {
        const { procedure, protocol, requestId, level, msg, reason, error, status } = JSON.parse(line);
        lines.push(JSON.stringify({ procedure, protocol, requestId, level, msg, reason, error, status }));
      };
      const edge = await startStreamEdge(core, model, {
        http2Engine,
        unaryCalls,
        between,
        log: pino({ level: "debug" }, { write }),
        accessLog: { mode: "all", slowCallMs: 0 },
        limits: { maxMessageBytes: MAX_MESSAGE_BYTES, idleTimeoutMs: 120_000 },
      });
      sides.set(`${http2Engine} ${unaryCalls}`, { edge, peer: new UnaryPeer(edge.port), lines });
    }
  }
});

afterAll(async () => {
  for (const { peer, edge } of sides.values()) {
    peer.close();
    await edge.edge.close();
  }
  expect(core.batcher.depth).toEqual({ rows: 0, bytes: 0, running: 0, entries: 0 });
  await core.close();
});

async function on(side: string, script: UnaryScript): Promise<{ answer: UnaryAnswer; lines: string[] }> {
  const { peer, lines } = sides.get(side)!;
  lines.length = 0;
  const answer = await peer.exchange(script);
  return { answer, lines: [...lines] };
}

/** Sends the same octets to both sides; gives what both answered. */
async function alike(form: Form, script: Partial<UnaryScript>): Promise<UnaryAnswer> {
  const { headers, ...rest } = script;
  const whole: UnaryScript = {
    version: form.version,
    path: form.path,
    body: Buffer.alloc(0),
    cuts: [],
    ...rest,
    headers: {
      "content-type": form.type,
      "x-request-id": "differential",
      ...(form.version === 2 ? { te: "trailers" } : {}),
      ...headers,
    },
  };
  const [ours, reference] = await Promise.all([
    on(`${form.engine} assay`, whole),
    on(`${form.engine} connect`, whole),
  ]);
  expect(shown(ours)).toEqual(shown(reference));
  return ours.answer;
}

function shown({ answer, lines }: { answer: UnaryAnswer; lines: string[] }) {
  return { ...answer, body: answer.body.toString("latin1"), lines };
}

function good(fields: object): Uint8Array {
  return toBinary(PredictRequestSchema, create(PredictRequestSchema, fields));
}

/** A message that both forms have, in the one that is asked for. */
function bodyOf(form: Form, json: Record<string, unknown>): Buffer {
  const bytes = form.isJson ? Buffer.from(JSON.stringify(json)) : good(json);
  return form.isFramed ? framed(0, bytes) : Buffer.from(bytes);
}

// One seed is always the same, so that a failure is a regression; the other is new in each run and printed.
const SEEDS = [20_261_128, Date.now() % 2 ** 31];
const cuts = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(fc.oneof(fc.nat(8), fc.nat(300)), { maxLength: 6 }) },
);
const extra = fc.record(
  {
    "grpc-accept-encoding": fc.constantFrom("gzip", "identity,deflate,gzip", "br, gzip", "", "snappy"),
    "accept-encoding": fc.constantFrom("gzip, deflate", "br", "identity", ""),
    "grpc-encoding": fc.constantFrom("identity", "identity", "zstd"),
    "content-encoding": fc.constantFrom("identity", "identity", "zstd"),
    "connect-protocol-version": fc.constantFrom("1", "9"),
    origin: fc.constant("https://example.org"),
    "user-agent": fc.constant("differential"),
  },
  { requiredKeys: [] },
);

describe.each(FORMS)("$name", (form) => {
  test.each(SEEDS)("who answers makes no difference, whatever comes (seed %d)", async (seed) => {
    const statuses = new Set<string>();
    const message = damaged(form.isJson ? jsonRequest : binaryRequest);
    const body = form.isFramed
      ? fc.oneof(
          { weight: 12, arbitrary: message.map((bytes) => framed(0, bytes)) },
          { weight: 1, arbitrary: message.map((bytes) => framed(1, gzipSync(bytes))) },
          {
            weight: 1,
            arbitrary: fc
              .tuple(message, message)
              .map((two) => Buffer.concat(two.map((one) => framed(0, one)))),
          },
          { weight: 1, arbitrary: fc.tuple(message, fc.nat(255)).map(([one, flags]) => framed(flags, one)) },
          {
            weight: 1,
            arbitrary: fc.tuple(message, fc.nat(9)).map(([one, cut]) => framed(0, one).subarray(0, -cut)),
          },
          { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)) },
        )
      : message.map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(body, cuts, extra, async (bytes, pieces, headers) => {
        const answer = await alike(form, { body: bytes, cuts: pieces, headers });
        statuses.add(
          `${answer.status} ${answer.trailers["grpc-status"] ?? answer.headers["grpc-status"] ?? ""}`,
        );
      }),
      { seed, numRuns: 40 },
    );
    expect(statuses.size).toBeGreaterThan(form.type.startsWith("application/grpc-web") ? 0 : 1);
  });

  test("nor does it for errors of every kind", async () => {
    const features = [1, 2];
    const bodies: Record<string, Buffer> = {
      good: bodyOf(form, { features, requestId: "a" }),
      scores: bodyOf(form, { modelName: "scored", requestId: "ü", features }),
      tensors: bodyOf(form, { features, outputNames: ["y"] }),
      "no model": bodyOf(form, { modelName: "nobody", features }),
      shape: bodyOf(form, { features: [1, 2, 3] }),
      violations: bodyOf(form, { features: new Array(30).fill(5) }),
      "a full queue": bodyOf(form, { modelName: "full", features }),
      "a bug": bodyOf(form, { modelName: "broken", features }),
      "too large": bodyOf(form, { requestId: "x".repeat(MAX_MESSAGE_BYTES), features }),
      "large answer": bodyOf(form, {
        inputs: [
          {
            name: "x",
            datatype: "FP32",
            shape: form.isJson ? [400, 2] : [400n, 2n],
            contents: { fp32Contents: new Array(800).fill(0.5) },
          },
        ],
      }),
      empty: Buffer.alloc(0),
      "an empty message": form.isFramed ? framed(0, Buffer.alloc(0)) : Buffer.alloc(0),
    };
    for (const [name, body] of Object.entries(bodies)) {
      for (const headers of [{}, { "accept-encoding": "gzip", "grpc-accept-encoding": "gzip" }]) {
        // /predict says in its path which model is meant.
        const path = form.path.startsWith("/predict") ? "/predict" : form.path;
        await alike(form, { path, body, headers }).catch((error: Error) => {
          throw new Error(`${name} ${JSON.stringify(headers)}: ${error.message}`);
        });
      }
    }
  });

  test("nor for headers that are odd", async () => {
    const body = bodyOf(form, { features: [1, 2] });
    const odd: Record<string, string | readonly string[]>[] = [
      { "content-type": "application/grpc+json" },
      { "content-type": "application/grpc-web+json" },
      { "content-type": "application/grpc-web-text" },
      { "content-type": "application/grpc; charset=utf-8" },
      { "content-type": "application/json;charset=utf-8" },
      { "content-type": "application/json; charset=utf-8" },
      { "content-type": "Application/JSON" },
      { "content-type": "application/xml" },
      { "content-type": "" },
      { "grpc-timeout": "5" },
      { "grpc-timeout": "10S" },
      { "grpc-timeout": "99999999H" },
      { "connect-timeout-ms": "1e3" },
      { "connect-timeout-ms": "10000" },
      { "connect-timeout-ms": "9999999999" },
      { "grpc-encoding": "snappy" },
      { "content-encoding": "gzip" },
      { "content-encoding": "snappy" },
    ];
    for (const headers of odd) await alike(form, { body, headers });
    await alike(form, { body, path: `${form.path}?a=b` });
    await alike(form, { body, path: `${form.path}/` });
    await alike(form, { method: "PUT", body });
  });

  test("nor for compressed messages", async () => {
    const plain = form.isJson ? Buffer.from('{"features":[1,2]}') : good({ features: [1, 2] });
    for (const [name, compress] of [
      ["gzip", gzipSync],
      ["GZip", gzipSync],
      ["x-gzip", gzipSync],
      ["br", brotliCompressSync],
    ] as const) {
      const body = form.isFramed ? framed(1, compress(plain)) : compress(plain);
      const headers = { [form.isFramed ? "grpc-encoding" : "content-encoding"]: name };
      const answer = await alike(form, { body, headers });
      expect(answer.status).toBe(200);
    }
  });

  test("nor at the deadline of the caller", async () => {
    if (form.path.startsWith("/predict")) return;
    const body = bodyOf(form, { modelName: "hang", features: [1, 2] });
    const headers = form.isFramed ? { "grpc-timeout": "30m" } : { "connect-timeout-ms": "30" };
    const answer = await alike(form, { body, headers });
    const said = JSON.stringify([answer.headers, answer.trailers, answer.body.toString("latin1")]);
    expect(decodeURIComponent(said)).toContain("no answer within 30 ms (the caller's timeout)");
  });

  test("nor for JSON that people write, in a form that takes it or not", async () => {
    for (const text of HAND_WRITTEN_JSON) {
      await alike(form, { body: Buffer.from(text) }).catch((error: Error) => {
        throw new Error(`${text.slice(0, 80)}: ${error.message}`);
      });
    }
    await alike(form, { body: Buffer.from([0x7b, 0xff, 0x7d]) });
  });
});
