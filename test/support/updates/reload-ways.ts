import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { type PredictResponse, ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { GRPCInferenceService } from "../../../gen/inference/grpc_service_pb.ts";

/** Rows of one call, all alike. */
const ROWS = 40;

/** An answer: the values of its rows, the version that it says it is from, and what was sent in each row. */
interface Answered {
  readonly version: string;
  readonly values: readonly number[];
  readonly sent: number;
}

/** One protocol to call a model with. */
export interface Way {
  readonly name: string;
  /** Calls a model of one float a row. Throws where it is not answered. */
  call(model: string): Promise<Answered>;
  close?(): void;
}

/** Every way to a server, each with connections of its own. */
export function answerWays(url: string): Way[] {
  return [
    rpc("gRPC Predict", createGrpcTransport({ baseUrl: url })),
    rpc("gRPC-Web Predict", createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" })),
    rpc(
      "Connect JSON Predict",
      createConnectTransport({ baseUrl: url, httpVersion: "1.1", useBinaryFormat: false }),
    ),
    stream(createGrpcTransport({ baseUrl: url })),
    modelInfer(createGrpcTransport({ baseUrl: url })),
    {
      name: "/predict",
      async call(model) {
        const sent = number();
        const body = { features: Array.from({ length: ROWS }, () => [sent]), output_names: ["*"] };
        const { model_version, outputs } = await posted(`${url}/predict/${model}`, body);
        return { version: model_version, values: valuesOf(outputs[0]), sent };
      },
    },
    {
      name: "/v2 infer",
      async call(model) {
        const sent = number();
        const input = {
          name: "x",
          datatype: "FP32",
          shape: [ROWS, 1],
          data: new Array(ROWS).fill(sent),
        };
        const { model_version, outputs } = await posted(`${url}/v2/models/${model}/infer`, {
          inputs: [input],
        });
        return { version: model_version, values: outputs[0].data, sent };
      },
    },
  ];
}

function number(): number {
  return Math.floor(Math.random() * 100_000);
}

// biome-ignore lint/suspicious/noExplicitAny: answers of five protocols.
async function posted(url: string, body: unknown): Promise<any> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
  return JSON.parse(text);
}

function tensor(sent: number) {
  const rawContents = new Uint8Array(new Float32Array(ROWS).fill(sent).buffer);
  return { name: "x", datatype: "FP32", shape: [BigInt(ROWS), 1n], rawContents };
}

function valuesOf(output: { raw_contents?: string; contents?: { fp32_contents: number[] } }): number[] {
  if (output.contents !== undefined) return output.contents.fp32_contents;
  return floats(Buffer.from(output.raw_contents!, "base64"));
}

function floats(octets: Uint8Array): number[] {
  return [...new Float32Array(octets.slice().buffer)];
}

function answerOf({ modelVersion, outputs }: PredictResponse, sent: number): Answered {
  return { version: modelVersion, values: floats(outputs[0]!.rawContents), sent };
}

function rpc(name: string, transport: Transport): Way {
  const client = createClient(ScoringService, transport);
  return {
    name,
    async call(modelName) {
      const sent = number();
      return answerOf(await client.predict({ modelName, inputs: [tensor(sent)], outputNames: ["*"] }), sent);
    },
  };
}

/** A stream that is open for a while: each of its messages is answered by one version. */
function stream(transport: Transport): Way {
  const client = createClient(ScoringService, transport);
  return {
    name: "gRPC PredictStream",
    async call(modelName) {
      const sent = number();
      async function* items() {
        for (let itemId = 0n; itemId < 20n; itemId++)
          yield { itemId, request: { modelName, inputs: [tensor(sent)], outputNames: ["*"] } };
      }
      let answer: Answered | undefined;
      for await (const { result } of client.predictStream(items())) {
        if (result.case !== "response") throw new Error(`an item failed: ${result.value?.message}`);
        answer = answerOf(result.value, sent);
        if (new Set(answer.values).size !== 1) break;
      }
      return answer!;
    },
  };
}

function modelInfer(transport: Transport): Way {
  const client = createClient(GRPCInferenceService, transport);
  return {
    name: "gRPC ModelInfer",
    async call(modelName) {
      const sent = number();
      const { rawContents, ...input } = tensor(sent);
      const { modelVersion, rawOutputContents } = await client.modelInfer({
        modelName,
        inputs: [input],
        rawInputContents: [rawContents],
      });
      return { version: modelVersion, values: floats(rawOutputContents[0]!), sent };
    },
  };
}
