import { toBinary, toJsonString } from "@bufbuild/protobuf";
import { PredictRequestSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import type { BenchSettings } from "../config/bench-settings.ts";
import type { BenchRequest } from "./bench-request.ts";
import {
  type ConnectionTarget,
  fieldsWithKey,
  type OpenCallConnection,
} from "./connection/call-connection.ts";
import { http1Connections } from "./connection/http1-connection.ts";
import { http2Connections } from "./connection/http2-calls.ts";
import { streamConnections } from "./connection/item-stream.ts";
import { inferTensors } from "./infer-tensors.ts";
import { binaryCheck, jsonCheck, UNCHECKED } from "./protocol/answer-check.ts";
import type { CallForm } from "./protocol/call-form.ts";
import { connectForm } from "./protocol/connect.ts";
import { grpcForm } from "./protocol/grpc.ts";
import { grpcWebForm } from "./protocol/grpc-web.ts";
import { inferenceForm, inferenceRestForm } from "./protocol/inference.ts";
import { predictForm } from "./protocol/predict.ts";

/** What `assay bench` is to do with its connections. */
export type ConnectionPlan = Pick<
  BenchSettings,
  "protocol" | "httpVersion" | "concurrency" | "connections" | "check"
>;

/** How the connections of a run are opened, and what their calls send. */
export function planConnections(
  plan: ConnectionPlan,
  target: ConnectionTarget,
  request: BenchRequest,
): { readonly open: OpenCallConnection; readonly requestBytes: number } {
  if (plan.protocol === "grpc-stream") {
    const items = { request: binaryOf(request), rows: request.rows };
    return { open: streamConnections(target, items), requestBytes: items.request.length };
  }
  const keyless = formOf(plan.protocol, request, plan.check);
  const form = { ...keyless, fields: fieldsWithKey(keyless.fields, target) };
  const slots = Math.ceil(plan.concurrency / plan.connections);
  const open =
    plan.httpVersion === "1.1" ? http1Connections(target, form) : http2Connections(target, form, slots);
  return { open, requestBytes: form.body.length };
}

function formOf(
  protocol: Exclude<BenchSettings["protocol"], "grpc-stream">,
  request: BenchRequest,
  check: boolean,
): CallForm {
  const binary = check ? binaryCheck(request.rows) : UNCHECKED;
  const json = check ? jsonCheck(request.rows) : UNCHECKED;
  switch (protocol) {
    case "grpc":
      return grpcForm(binaryOf(request), binary);
    case "grpc-web":
      return grpcWebForm(binaryOf(request), binary);
    case "connect":
      return connectForm("application/proto", binaryOf(request), binary);
    case "connect-json":
      return connectForm("application/json", jsonOf(request), json);
    case "predict":
      return predictForm(jsonOf(request), json);
    case "inference":
      return inferenceForm(request.message, inferTensors(request.message, request.model), check);
    case "inference-rest":
      return inferenceRestForm(request.message, inferTensors(request.message, request.model), check);
  }
}

function binaryOf({ message }: BenchRequest): Uint8Array {
  return toBinary(PredictRequestSchema, message);
}

function jsonOf({ message }: BenchRequest): Uint8Array {
  return Buffer.from(toJsonString(PredictRequestSchema, message, { useProtoFieldName: true }));
}
