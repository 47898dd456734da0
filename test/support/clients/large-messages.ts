/** Legal requests of many megabytes in each form and protocol, whose answers are as large: every stage has long work with them. */
import { once } from "node:events";
import { connect } from "node:http2";
import {
  create,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import {
  PredictRequestSchema,
  PredictRowsRequestSchema,
  PredictStreamRequestSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { TensorContentsSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { elementBytes } from "../../../src/tensor/datatype.ts";
import { onnxModel, type TestModel } from "../models/onnx-model.ts";
import { PERSON } from "../tables/example-rows.ts";
import { framed } from "./wire-octets.ts";

/** What a large message was answered. */
export interface LargeAnswer {
  /** HTTP status, or gRPC's. */
  readonly status: number;
  readonly octets: number;
}

/** One large request that is answered in full. */
export interface LargeMessage {
  readonly title: string;
  /** The octets that its answer has at least. */
  readonly leastOctets: number;
  /** Makes its octets, for as many sendings as one likes. */
  prepare(): Send;
}

/** Sends a prepared message to a server. */
export type Send = (url: string) => Promise<LargeAnswer>;

type Request = MessageInitShape<typeof PredictRequestSchema>;
type Contents = MessageInitShape<typeof TensorContentsSchema>;
type EchoType = "FP32" | "FP64" | "INT32" | "INT64" | "BOOL" | "BYTES";

const ECHO_TYPES: readonly EchoType[] = ["FP32", "FP64", "INT32", "INT64", "BOOL", "BYTES"];

/** Models that return what they take, `echo_fp32` and so on, and one of a thousand inputs. */
export function echoModels(): TestModel[] {
  const echoes = ECHO_TYPES.map((datatype) =>
    onnxModel(`echo_${datatype.toLowerCase()}`, {
      inputs: [{ name: "x", datatype, shape: [-1, -1] }],
      outputs: [{ name: "y", datatype, shape: [-1, -1] }],
      nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
    }),
  );
  const names = Array.from({ length: 1000 }, (_, i) => String(i));
  const many = onnxModel("echo_many", {
    inputs: names.map((name) => ({ name: `x${name}`, datatype: "FP32" as const, shape: [-1, -1] })),
    outputs: names.map((name) => ({ name: `y${name}`, datatype: "FP32" as const, shape: [-1, -1] })),
    nodes: names.map((name) => ({ op: "Identity", inputs: [`x${name}`], outputs: [`y${name}`] })),
  });
  return [...echoes, many];
}

const list = <T>(count: number, value: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => value(i));
const half = (index: number) => index / 2;

/** A tensor of `rows` rows for its echo model. */
function echo(datatype: EchoType, contents: Contents, rows: number): Request {
  const [values] = Object.values(contents) as unknown[][];
  const shape = [BigInt(rows), BigInt(values!.length / rows)];
  return { modelName: `echo_${datatype.toLowerCase()}`, inputs: [{ name: "x", datatype, shape, contents }] };
}

function raw(datatype: "FP32" | "INT64", count: number): Request {
  const rawContents = new Uint8Array(count * elementBytes(datatype));
  return {
    modelName: `echo_${datatype.toLowerCase()}`,
    inputs: [{ name: "x", datatype, shape: [1n, BigInt(count)], rawContents }],
  };
}

/** Texts in the form of raw octets, each with its length before it. */
function rawTexts(count: number): Request {
  const octets = Buffer.alloc(count * 16);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const length = octets.write(`text ${i}`, at + 4, "latin1");
    octets.writeUInt32LE(length, at);
    at += 4 + length;
  }
  const rawContents = octets.subarray(0, at);
  return {
    modelName: "echo_bytes",
    inputs: [{ name: "x", datatype: "BYTES", shape: [1n, BigInt(count)], rawContents }],
  };
}

const MANY: () => Request = () => ({
  modelName: "echo_many",
  inputs: list(1000, (i) => ({
    name: `x${i}`,
    datatype: "FP32",
    shape: [1n, 2000n],
    contents: { fp32Contents: list(2000, half) },
  })),
});

/** Sixteen megabytes of protobuf, or nearly. */
const BINARY: readonly [title: string, least: number, request: () => Request][] = [
  ["4 M floats in one row", 16e6, () => echo("FP32", { fp32Contents: list(4e6, half) }, 1)],
  ["4 M floats in 4,000 rows", 16e6, () => echo("FP32", { fp32Contents: list(4e6, half) }, 4000)],
  ["2 M doubles", 16e6, () => echo("FP64", { fp64Contents: list(2e6, half) }, 1)],
  ["3 M long integers", 8e6, () => echo("INT64", { int64Contents: list(3e6, (i) => BigInt(i)) }, 1)],
  ["4 M integers", 8e6, () => echo("INT32", { intContents: list(4e6, (i) => i) }, 1)],
  ["4 M booleans", 4e6, () => echo("BOOL", { boolContents: list(4e6, (i) => i % 3 === 0) }, 1)],
  [
    "800,000 texts",
    8e6,
    () => echo("BYTES", { bytesContents: list(8e5, (i) => Buffer.from(`text ${i}`)) }, 1),
  ],
  ["800,000 texts as raw octets", 11e6, () => rawTexts(8e5)],
  ["4 M floats as raw octets", 15e6, () => raw("FP32", 4e6 - 100)],
  ["a thousand inputs", 8e6, MANY],
];

/** Sixteen megabytes of JSON, or nearly. */
const JSON_REQUESTS: readonly [title: string, least: number, request: () => Request][] = [
  ["2 M floats", 14e6, () => echo("FP32", { fp32Contents: list(2e6, half) }, 1)],
  ["2 M floats in 2,000 rows", 14e6, () => echo("FP32", { fp32Contents: list(2e6, half) }, 2000)],
  ["1.5 M long integers", 12e6, () => echo("INT64", { int64Contents: list(15e5, (i) => BigInt(i)) }, 1)],
  ["2 M booleans", 11e6, () => echo("BOOL", { boolContents: list(2e6, (i) => i % 3 === 0) }, 1)],
  [
    "800,000 texts",
    12e6,
    () => echo("BYTES", { bytesContents: list(8e5, (i) => Buffer.from(`text ${i}`)) }, 1),
  ],
  ["700,000 texts as raw octets", 13e6, () => rawTexts(7e5)],
  ["3 M floats as raw octets", 15e6, () => raw("FP32", 29e5)],
  ["a thousand inputs", 9e6, MANY],
];

function rowsOfCensus(count: number): Request {
  return { modelName: "census", rows: list(count, () => PERSON) };
}

/** All of them, for a server with the example models and `echoModels`. */
export function largeMessages(): LargeMessage[] {
  const binary = BINARY.flatMap(([title, leastOctets, request]) => [
    large(`gRPC: ${title}`, leastOctets, () => grpc("Predict", PredictRequestSchema, request())),
    large(`gRPC stream: ${title}`, leastOctets, () =>
      grpc("PredictStream", PredictStreamRequestSchema, { itemId: 1n, request: request() }),
    ),
    large(`Connect: ${title}`, leastOctets, () =>
      post(`${SCORING}/Predict`, "application/proto", binaryOf(request())),
    ),
  ]);
  const json = JSON_REQUESTS.flatMap(([title, leastOctets, request]) => [
    large(`Connect JSON: ${title}`, leastOctets, () =>
      post(`${SCORING}/Predict`, "application/json", jsonOf(request())),
    ),
    large(`/predict: ${title}`, leastOctets, () => post("/predict", "application/json", jsonOf(request()))),
    large(`Connect rows JSON: ${title}`, leastOctets, () => {
      const message = create(PredictRowsRequestSchema, { items: [{ itemId: 1n, request: request() }] });
      const octets = framed(0, Buffer.from(toJsonString(PredictRowsRequestSchema, message)));
      return post(`${SCORING}/PredictRows`, "application/connect+json", octets);
    }),
  ]);
  const data: [string, string, () => unknown][] = [
    ["2 M floats as data", "echo_fp32", () => ({ datatype: "FP32", shape: [1, 2e6], data: list(2e6, half) })],
    [
      "2 M floats as nested data",
      "echo_fp32",
      () => ({
        datatype: "FP32",
        shape: [2e5, 10],
        data: list(2e5, () => list(10, half)),
      }),
    ],
    [
      "500,000 texts as data",
      "echo_bytes",
      () => ({ datatype: "BYTES", shape: [1, 5e5], data: list(5e5, String) }),
    ],
    [
      "2 M long integers as data",
      "echo_int64",
      () => ({ datatype: "INT64", shape: [1, 2e6], data: list(2e6, (i) => i) }),
    ],
  ];
  return [
    ...binary,
    ...json,
    ...data.map(([title, model, tensor]) =>
      large(`/predict: ${title}`, 5e6, () =>
        post(
          `/predict/${model}`,
          "application/json",
          Buffer.from(JSON.stringify({ inputs: [{ name: "x", ...(tensor() as object) }] })),
        ),
      ),
    ),
    large("/predict: 8,192 rows", 1e5, () =>
      post("/predict", "application/json", jsonOf(rowsOfCensus(8192))),
    ),
    large("gRPC: 8,192 rows", 3e4, () => grpc("Predict", PredictRequestSchema, rowsOfCensus(8192))),
    large("Connect JSON: 8,192 rows", 1e5, () =>
      post(`${SCORING}/Predict`, "application/json", jsonOf(rowsOfCensus(8192))),
    ),
  ];
}

const SCORING = "/assay.v1.ScoringService";

function large(title: string, leastOctets: number, prepare: () => Send): LargeMessage {
  return { title, leastOctets, prepare };
}

function binaryOf(request: Request): Buffer {
  return Buffer.from(toBinary(PredictRequestSchema, create(PredictRequestSchema, request)));
}

function jsonOf(request: Request): Buffer {
  return Buffer.from(toJsonString(PredictRequestSchema, create(PredictRequestSchema, request)));
}

function post(path: string, type: string, body: Buffer): Send {
  return async (url) => {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": type },
      body,
    });
    const { byteLength } = await response.arrayBuffer();
    return { status: response.status, octets: byteLength };
  };
}

function grpc<Desc extends DescMessage>(method: string, schema: Desc, init: MessageInitShape<Desc>): Send {
  const octets = framed(0, toBinary(schema, create(schema, init) as MessageShape<Desc>));
  return (url) => sendGrpc(url, method, octets);
}

async function sendGrpc(url: string, method: string, octets: Buffer): Promise<LargeAnswer> {
  const session = connect(url, { settings: { initialWindowSize: 2 ** 26 } });
  session.on("error", () => {});
  await once(session, "connect");
  session.setLocalWindowSize(2 ** 26);
  const call = session.request({
    ":method": "POST",
    ":path": `${SCORING}/${method}`,
    "content-type": "application/grpc",
    te: "trailers",
  });
  let status = -1;
  let received = 0;
  const read = (fields: Record<string, unknown>) => {
    if (fields["grpc-status"] !== undefined) status = Number(fields["grpc-status"]);
  };
  call.on("response", read).on("trailers", read);
  call.on("data", (bytes: Buffer) => {
    received += bytes.length;
  });
  call.end(octets);
  await once(call, "close");
  session.close();
  return { status, octets: received };
}
