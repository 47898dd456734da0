import { connect, constants, type IncomingHttpHeaders } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  PredictRequestSchema,
  PredictRowsRequestSchema,
  PredictStreamRequestSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Edge } from "../../../src/edge/edge.ts";
import { framed } from "../../support/clients/wire-octets.ts";
import { startEdge } from "../../support/servers/fake-services.ts";

const SCORING = "/assay.v1.ScoringService";
const GRPC = { "content-type": "application/grpc+proto", te: "trailers" };

interface Blocks {
  /** Each block of fields, in order. */
  readonly blocks: IncomingHttpHeaders[];
  /** Whether the first block ended the stream. */
  readonly isTrailersOnly: boolean;
  readonly body: Buffer;
}

const predict = (modelName: string) =>
  framed(0, toBinary(PredictRequestSchema, create(PredictRequestSchema, { modelName, features: [1] })));
const item = (modelName: string) =>
  create(PredictStreamRequestSchema, { request: { modelName, features: [1] } });
const rows = (...names: string[]) =>
  framed(0, toBinary(PredictRowsRequestSchema, create(PredictRowsRequestSchema, { items: names.map(item) })));

describe.each(["assay", "node"] as const)("over %s", (http2Engine) => {
  let edge: Edge;
  let url: string;
  beforeAll(async () => {
    const started = await startEdge({ http2Engine, limits: { maxMessageBytes: 2000 } });
    edge = started.edge;
    url = `http://127.0.0.1:${started.port}`;
  });
  afterAll(() => edge.close());

  function ask(path: string, body: Buffer, fields: Record<string, string> = {}): Promise<Blocks> {
    return new Promise((resolve, reject) => {
      const session = connect(url);
      session.once("error", reject);
      const stream = session.request({ ":method": "POST", ":path": path, ...GRPC, ...fields });
      const blocks: IncomingHttpHeaders[] = [];
      const chunks: Buffer[] = [];
      let isTrailersOnly = false;
      stream.on("response", (headers, flags) => {
        blocks.push(headers);
        isTrailersOnly = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      });
      stream.on("trailers", (headers) => blocks.push(headers));
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", () => {});
      stream.once("close", () =>
        session.close(() => resolve({ blocks, isTrailersOnly, body: Buffer.concat(chunks) })),
      );
      stream.end(body);
    });
  }

  test.each<[string, string, Buffer, string, Record<string, string>]>([
    ["a full queue", "Predict", predict("full"), "8", {}],
    ["a bad request", "Predict", predict("invalid"), "3", {}],
    ["a message that is no message", "Predict", framed(0, Buffer.of(255)), "3", {}],
    ["a message that is too large", "Predict", framed(0, Buffer.alloc(3000)), "8", {}],
    ["a deadline that has passed", "Predict", predict("hang"), "4", { "grpc-timeout": "50m" }],
    ["a server stream without an answer", "PredictRows", framed(0, Buffer.of(255)), "3", {}],
    ["a bidi stream without an answer", "PredictStream", framed(0, Buffer.of(255)), "3", {}],
    ["an unknown encoding", "PredictStream", framed(0, Buffer.alloc(0)), "12", { "grpc-encoding": "x" }],
    ["a method that is not there", "Predcit", predict("sum"), "12", {}],
    [
      "an unknown message form",
      "Predict",
      predict("sum"),
      "12",
      { "content-type": "application/grpc+thrift" },
    ],
  ])(
    "%s is told in one block of fields, so that clients may retry",
    async (_, method, body, status, fields) => {
      const { blocks, isTrailersOnly } = await ask(`${SCORING}/${method}`, body, fields);
      expect(isTrailersOnly).toBe(true);
      expect(blocks).toEqual([
        expect.objectContaining({
          ":status": 200,
          "content-type": expect.stringMatching(/^application\/grpc/),
          "grpc-status": status,
          "grpc-message": expect.stringMatching(/./),
        }),
      ]);
    },
  );

  test("details stand in the same block", async () => {
    const { blocks } = await ask(`${SCORING}/Predict`, predict("full"));
    const details = Buffer.from(String(blocks[0]!["grpc-status-details-bin"]), "base64").toString("latin1");
    expect(details).toContain("QUEUE_FULL");
  });

  test("an answer and its status are two blocks, and what was answered before an error stays", async () => {
    const one = await ask(`${SCORING}/Predict`, predict("sum"));
    expect(one.blocks.map((block) => block["grpc-status"])).toEqual([undefined, "0"]);
    expect(one.body.length).toBeGreaterThan(5);
    const many = await ask(`${SCORING}/PredictRows`, rows("sum", "invalid"));
    expect(many.blocks.map((block) => block["grpc-status"])).toEqual([undefined, "0"]);
  });

  test("a method that is misspelt is told its name", async () => {
    const { blocks } = await ask(`${SCORING}/Predcit`, predict("sum"));
    expect(blocks[0]!["grpc-message"]).toContain('did you mean "Predict"?');
  });

  test("an unknown message form is told what is taken", async () => {
    const { blocks } = await ask(`${SCORING}/Predict`, predict("sum"), {
      "content-type": "application/grpc+thrift",
    });
    expect(blocks[0]!["grpc-message"]).toMatch(/content type "application\/grpc\+thrift" is not one that/);
  });
});

test.each([
  ["before the limit", (big: string) => ({ ...GRPC, x: big })],
  ["after the limit", (big: string) => ({ x: big, ...GRPC })],
])(
  "gRPC fields that are too many are told by the limit's name, the content type standing %s",
  async (_, fields) => {
    const { edge, port } = await startEdge({ limits: { maxHeaderListBytes: 2048 } });
    const session = connect(`http://127.0.0.1:${port}`);
    const stream = session.request({
      ":method": "POST",
      ":path": `${SCORING}/Predict`,
      ...fields("a".repeat(4000)),
    });
    const headers = await new Promise((resolve) => stream.once("response", resolve));
    expect(headers).toMatchObject({
      ":status": 200,
      "content-type": "application/grpc+proto",
      "grpc-status": "8",
      "grpc-message": "the request's header list is larger than 2048 bytes (max-header-list-bytes)",
    });
    stream.resume().end();
    await new Promise<void>((resolve) => session.close(resolve));
    await edge.close();
  },
);
