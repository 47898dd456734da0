/** The procedures of the mixed soak's server, over gRPC, gRPC-Web and Connect, unary and streaming. */

import { fromBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { type PredictStreamResponse, ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import type { Status } from "../../../gen/google/rpc/status_pb.ts";
import { GRPCInferenceService, type ModelInferResponse } from "../../../gen/inference/grpc_service_pb.ts";
import { type Answer, type Call, type Item, type Way, WayFailure } from "./mixed-call.ts";

type MakeTransport = (isCompressed: boolean) => Transport;

/** One transport for what is compressed and one for what is not. */
function both(make: MakeTransport): (call: Call) => Transport {
  const [plain, compressed] = [make(false), make(true)];
  return ({ isCompressed }) => (isCompressed ? compressed : plain);
}

/** Every way by procedures. */
export function rpcWays(baseUrl: string): Way[] {
  const sent = (isCompressed: boolean) =>
    isCompressed ? { sendCompression: compressionGzip, compressMinBytes: 1 } : {};
  const grpc = (isCompressed: boolean) => createGrpcTransport({ baseUrl, ...sent(isCompressed) });
  const web = (isCompressed: boolean) =>
    createGrpcWebTransport({ baseUrl, httpVersion: "1.1", ...sent(isCompressed) });
  const connect = (httpVersion: "1.1" | "2", useBinaryFormat: boolean) => (isCompressed: boolean) =>
    createConnectTransport({ baseUrl, httpVersion, useBinaryFormat, ...sent(isCompressed) });
  return [
    unary("gRPC Predict", grpc),
    unary("gRPC-Web Predict", web),
    unary("Connect binary Predict, HTTP/2", connect("2", true)),
    unary("Connect JSON Predict, HTTP/1.1", connect("1.1", false)),
    stream("gRPC PredictStream", grpc),
    stream("Connect PredictStream, HTTP/2", connect("2", true)),
    rows("gRPC-Web PredictRows", web),
    rows("Connect JSON PredictRows, HTTP/1.1", connect("1.1", false)),
    modelInfer(grpc),
    modelStreamInfer(grpc),
  ];
}

function options({ signal, timeoutMs }: Call): { signal: AbortSignal; timeoutMs?: number } {
  return timeoutMs === undefined ? { signal } : { signal, timeoutMs };
}

function shapeOf({ rows, columns }: Item) {
  return { name: "x", datatype: "FP32", shape: [BigInt(rows), BigInt(columns)] };
}

function octetsOf({ values }: Item): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

function requestOf(modelName: string, item: Item) {
  return { modelName, inputs: [{ ...shapeOf(item), rawContents: octetsOf(item) }], outputNames: ["*"] };
}

function floats(octets: Uint8Array): Float32Array {
  // A Buffer's own slice() would be a view.
  return new Float32Array(new Uint8Array(octets).buffer);
}

/** A call as a promise whose failures carry the server's reason. */
async function told(run: Promise<void>): Promise<void> {
  try {
    await run;
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    const info = error.findDetails(ErrorInfoSchema)[0];
    throw new WayFailure(info?.reason ?? Code[error.code], error.rawMessage);
  }
}

function itemFailure(status: Status): Answer {
  const info = status.details.find(({ typeUrl }) => typeUrl.endsWith("google.rpc.ErrorInfo"));
  const reason = info === undefined ? Code[status.code]! : fromBinary(ErrorInfoSchema, info.value).reason;
  return { reason, message: status.message };
}

function itemAnswer({ result }: PredictStreamResponse): Answer {
  if (result.case === "response")
    return { values: floats(result.value.outputs[0]!.rawContents), version: result.value.modelVersion };
  if (result.case === "status") return itemFailure(result.value);
  return { reason: "EMPTY", message: "an item without a result" };
}

function unary(name: string, make: MakeTransport): Way {
  const transport = both(make);
  return {
    name,
    mostItems: 1,
    mostRows: 300,
    call: (call, answered) =>
      told(
        (async () => {
          const [item] = call.items;
          const client = createClient(ScoringService, transport(call));
          const { outputs, modelVersion } = await client.predict(requestOf(call.model, item!), options(call));
          answered(item!.id, { values: floats(outputs[0]!.rawContents), version: modelVersion });
        })(),
      ),
  };
}

async function* itemsOf({ items, model }: Call) {
  for (const item of items) yield { itemId: BigInt(item.id), request: requestOf(model, item) };
}

function stream(name: string, make: MakeTransport): Way {
  const transport = both(make);
  return {
    name,
    mostItems: 40,
    mostRows: 32,
    call: (call, answered) =>
      told(
        (async () => {
          const client = createClient(ScoringService, transport(call));
          for await (const answer of client.predictStream(itemsOf(call), options(call)))
            answered(Number(answer.itemId), itemAnswer(answer));
        })(),
      ),
  };
}

function rows(name: string, make: MakeTransport): Way {
  const transport = both(make);
  return {
    name,
    mostItems: 20,
    mostRows: 8,
    call: (call, answered) =>
      told(
        (async () => {
          const client = createClient(ScoringService, transport(call));
          const items = call.items.map((item) => ({
            itemId: BigInt(item.id),
            request: requestOf(call.model, item),
          }));
          for await (const answer of client.predictRows({ items }, options(call)))
            answered(Number(answer.itemId), itemAnswer(answer));
        })(),
      ),
  };
}

function inferRequest(modelName: string, item: Item) {
  return { modelName, id: String(item.id), inputs: [shapeOf(item)], rawInputContents: [octetsOf(item)] };
}

function inferAnswer({ rawOutputContents, modelVersion }: ModelInferResponse): Answer {
  return { values: floats(rawOutputContents[0]!), version: modelVersion };
}

function modelInfer(make: MakeTransport): Way {
  const transport = both(make);
  return {
    name: "gRPC ModelInfer",
    mostItems: 1,
    mostRows: 300,
    call: (call, answered) =>
      told(
        (async () => {
          const [item] = call.items;
          const client = createClient(GRPCInferenceService, transport(call));
          answered(
            item!.id,
            inferAnswer(await client.modelInfer(inferRequest(call.model, item!), options(call))),
          );
        })(),
      ),
  };
}

/** Triton's stream tells errors as texts, and the request's id and Assay's reason beside them. */
function modelStreamInfer(make: MakeTransport): Way {
  const transport = both(make);
  return {
    name: "gRPC ModelStreamInfer",
    mostItems: 20,
    mostRows: 32,
    call: (call, answered) =>
      told(
        (async () => {
          const client = createClient(GRPCInferenceService, transport(call));
          async function* requests() {
            for (const item of call.items) yield inferRequest(call.model, item);
          }
          for await (const { errorMessage, inferResponse } of client.modelStreamInfer(
            requests(),
            options(call),
          )) {
            const id = Number(inferResponse!.id);
            answered(
              id,
              errorMessage === "" ? inferAnswer(inferResponse!) : refused(inferResponse!, errorMessage),
            );
          }
        })(),
      ),
  };
}

function refused({ parameters }: ModelInferResponse, message: string): Answer {
  const choice = parameters.assay_reason?.parameterChoice;
  return { reason: choice?.case === "stringParam" ? choice.value : "UNKNOWN", message };
}
