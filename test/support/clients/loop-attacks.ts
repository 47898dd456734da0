/** Requests within every limit that would hold the event loop if checks, hints or errors were made for each element. */
import { once } from "node:events";
import { connect } from "node:http2";
import { gzipSync } from "node:zlib";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  PredictRequestSchema,
  PredictStreamRequestSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { onnxModel, type TestModel } from "../models/onnx-model.ts";
import { rawConnection } from "./raw-connection.ts";

/** One attack and what its answer has to hold. */
export interface LoopAttack {
  readonly title: string;
  run(url: string): Promise<string>;
  readonly answer: RegExp;
}

/** A model of 500 columns, `measured_value_0` and so on: what feature pipelines export. */
export function wideModel(): TestModel {
  const columns = Array.from({ length: 500 }, (_, i) => ({
    name: `measured_value_${i}`,
    datatype: "FP32" as const,
    shape: [-1, 1],
  }));
  return onnxModel("wide", {
    inputs: columns,
    outputs: [{ name: "y", datatype: "FP32", shape: [-1, 1] }],
    nodes: [{ op: "Sum", inputs: columns.map(({ name }) => name), outputs: ["y"] }],
  });
}

/** Calls that one connection sends without waiting for an answer; how many answers came. */
async function pipelined(url: string, path: string, body: string, count: number): Promise<number> {
  const { port } = new URL(url);
  const connection = await rawConnection(Number(port));
  const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  connection.write((head + body).repeat(count));
  const answers = (text: string) => text.split("HTTP/1.1 200").length - 1;
  const text = await connection.until((came) => answers(came) >= count);
  connection.socket.destroy();
  return answers(text);
}

/** All of them, for a server with the example models and `wideModel`. */
export const LOOP_ATTACKS: readonly LoopAttack[] = [
  {
    title: "150 pipelined calls on each of a hundred connections",
    run: async (url) => {
      const path = "/assay.v1.ModelService/GetModel";
      const counts = Array.from({ length: 100 }, () => pipelined(url, path, '{"modelName":"iris"}', 150));
      return String((await Promise.all(counts)).reduce((sum, count) => sum + count));
    },
    answer: /^15000$/,
  },
  {
    title: "ten rows of 16,000 columns that the model does not have",
    run: (url) => {
      const row = rowOf(16_000, (i) => `col${i}`);
      return predict(url, "census", { rows: Array.from({ length: 10 }, () => row) });
    },
    answer: /"violation_count":160100/,
  },
  {
    title: "three hundred unknown columns with names of 16 KB",
    run: (url) => predict(url, "census", { rows: [rowOf(300, (i) => "n".repeat(16_384) + i)] }),
    answer: /"violation_count":3\d\d/,
  },
  {
    title: "3,000 misspelt columns to a model of 500",
    run: (url) => predict(url, "wide", { rows: [rowOf(3000, (i) => `mesured_valeu_${i}`)] }),
    answer: /did you mean \\"measured_value_0\\".*"violation_count":3500/,
  },
  {
    title: "200 rows with ten misspelt columns each to a model of 500",
    run: (url) => {
      const row = rowOf(500, (i) => (i % 50 === 0 ? `mesured_valeu_${i}` : `measured_value_${i}`));
      return predict(url, "wide", { rows: Array.from({ length: 200 }, () => row) });
    },
    answer: /did you mean.*"violation_count":4000/,
  },
  {
    title: "8,000 rows without the 500 columns of the model",
    run: (url) => predict(url, "wide", { rows: Array.from({ length: 8000 }, () => ({})) }),
    answer: /"violation_count":4000000/,
  },
  {
    title: "a thousand tensors of which everything is wrong",
    run: (url) =>
      unary(url, {
        modelName: "wide",
        inputs: Array.from({ length: 1000 }, (_, i) => ({
          name: `mesured_valeu_${i}`,
          datatype: "FP3",
          shape: Array<bigint>(16).fill(-1n),
        })),
      }),
    answer: /invalid_argument/,
  },
  {
    title: "texts of one octet that are no UTF-8",
    run: (url) => {
      const bytesContents = Array.from({ length: 8000 }, () => Uint8Array.of(0xff));
      const tensor = { name: "sex", datatype: "BYTES", shape: [8000n, 1n], contents: { bytesContents } };
      return unary(url, { modelName: "census", inputs: [tensor] });
    },
    answer: /not valid UTF-8/,
  },
  {
    title: "200,000 items of five octets on one stream",
    run: async (url) => `${await countAnswers(url, Buffer.alloc(200_000 * 5))} answers`,
    answer: /^200000 answers$/,
  },
  {
    title: "40,000 items whose model is misspelt on one stream",
    run: async (url) => `${await countAnswers(url, items("cenus", 40_000))} answers`,
    answer: /^40000 answers$/,
  },
];

function rowOf(count: number, name: (index: number) => string): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [name(i), 1]));
}

async function predict(url: string, model: string, body: object): Promise<string> {
  const response = await fetch(`${url}/predict/${model}`, {
    method: "POST",
    headers: { "content-encoding": "gzip" },
    body: gzipSync(JSON.stringify(body)),
  });
  return response.text();
}

async function unary(url: string, request: MessageInitShape<typeof PredictRequestSchema>): Promise<string> {
  const response = await fetch(`${url}/assay.v1.ScoringService/Predict`, {
    method: "POST",
    headers: { "content-type": "application/proto" },
    body: Buffer.from(toBinary(PredictRequestSchema, create(PredictRequestSchema, request))),
  });
  return response.text();
}

/** The messages of so many items of one row for `iris`, or a model of another name. */
export function items(modelName: string, count: number): Buffer {
  const request = create(PredictRequestSchema, {
    modelName,
    inputs: [{ name: "features", datatype: "FP32", shape: [1n, 4n], rawContents: new Uint8Array(16) }],
  });
  const message = toBinary(PredictStreamRequestSchema, create(PredictStreamRequestSchema, { request }));
  const framed = Buffer.concat([Buffer.of(0, 0, 0, 0, message.length), message]);
  return Buffer.concat(Array<Buffer>(count).fill(framed));
}

/** Sends messages on one PredictStream on a connection of its own and counts the answers. */
export async function countAnswers(url: string, messages: Buffer): Promise<number> {
  const session = connect(url, { settings: { initialWindowSize: 2 ** 24 } });
  session.on("error", () => {});
  await once(session, "connect");
  session.setLocalWindowSize(2 ** 24);
  const call = session.request({
    ":method": "POST",
    ":path": "/assay.v1.ScoringService/PredictStream",
    "content-type": "application/grpc",
    te: "trailers",
  });
  let answers = 0;
  let rest = Buffer.alloc(0);
  call.on("data", (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    let at = 0;
    for (; at + 5 <= rest.length; answers++) {
      const end = at + 5 + rest.readUInt32BE(at + 1);
      if (end > rest.length) break;
      at = end;
    }
    rest = rest.subarray(at);
  });
  call.end(messages);
  await once(call, "end");
  session.close();
  return answers;
}
