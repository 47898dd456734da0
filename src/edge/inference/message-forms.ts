/** What the messages of inference calls stand for, where they are not read by hand: requests, and items of streams that were refused. */
import type { Message } from "@bufbuild/protobuf";
import {
  GRPCInferenceService,
  type ModelInferRequest,
  ModelInferRequestSchema,
} from "../../../gen/inference/grpc_service_pb.ts";
import { AssayError } from "../../errors.ts";
import { plainTag } from "../../wire/plain-tag.ts";
import type { MessageForm, RequestForm } from "../decode/message-decoder.ts";
import { RequestCursor } from "../decode/request-cursor.ts";
import type { ExactJson, ExactObject } from "../json/json-text.ts";
import { InferRequest, inferRequest } from "./infer-request.ts";

/** What names a request, for its answer. */
type Names = Pick<InferRequest, "modelName" | "modelVersion" | "requestId">;

/** Longer ones are refused, and not said again. */
const LONGEST_NAME = 256;
const NAME_TAGS: ReadonlyMap<number, keyof Names> = new Map([
  [plainTag(ModelInferRequestSchema, "modelName"), "modelName"],
  [plainTag(ModelInferRequestSchema, "modelVersion"), "modelVersion"],
  [plainTag(ModelInferRequestSchema, "id"), "requestId"],
]);

const CALL: RequestForm = { requestOf: (message) => inferRequest(message as ModelInferRequest) };
const ITEM: RequestForm = { requestOf: itemOf, refused: refusedItem };

/** By procedure, for messages in any encoding. */
export const INFER_REQUEST_FORMS: ReadonlyMap<string, RequestForm> = new Map(
  [
    [GRPCInferenceService.method.modelInfer, CALL] as const,
    [GRPCInferenceService.method.modelStreamInfer, ITEM] as const,
  ].map(([{ parent, name }, form]) => [`/${parent.typeName}/${name}`, form]),
);

/** The message of `ModelInfer`, in protobuf's binary form. */
export const INFER_CALL: MessageForm = { desc: ModelInferRequestSchema, isJson: false, ...CALL };
/** The message of `ModelStreamInfer`. */
export const INFER_ITEM: MessageForm = { desc: ModelInferRequestSchema, isJson: false, ...ITEM };

function refusedRequest(refusal: AssayError, names: Partial<Names>): InferRequest {
  const request = new InferRequest();
  request.refusal = refusal;
  request.modelName = sayable(names.modelName);
  request.modelVersion = sayable(names.modelVersion);
  request.requestId = sayable(names.requestId);
  return request;
}

/** A name as an answer says it: empty where it is longer than any that is taken. */
export function sayable(name = ""): string {
  return name.length > LONGEST_NAME ? "" : name;
}

function itemOf(message: Message): Message {
  const { modelName, modelVersion, id } = message as ModelInferRequest;
  try {
    return inferRequest(message as ModelInferRequest);
  } catch (error) {
    if (error instanceof AssayError) return refusedRequest(error, { modelName, modelVersion, requestId: id });
    throw error;
  }
}

/** The request that stands for a well-formed one that was refused, with what of its names an answer may say; undefined: it is none. */
export function refusedItem(error: unknown, bytes: Uint8Array, json?: ExactObject): InferRequest | undefined {
  if (!(error instanceof AssayError) || error.violations.length === 0) return undefined;
  return refusedRequest(error, json === undefined ? wireNames(bytes) : jsonNames(json));
}

/** Writers put names first, in the order of their fields: nothing behind another field is looked at. */
function wireNames(bytes: Uint8Array): Partial<Names> {
  const cursor = new RequestCursor(bytes, ModelInferRequestSchema.typeName);
  const names: Partial<Names> = {};
  while (cursor.at < bytes.length) {
    const name = NAME_TAGS.get(cursor.tag(bytes.length));
    if (name === undefined) break;
    const end = cursor.fieldEnd(bytes.length);
    const octets = bytes.subarray(cursor.at, end);
    names[name] = octets.length > 4 * LONGEST_NAME ? "" : Buffer.from(octets).toString();
    cursor.at = end;
  }
  return names;
}

function jsonNames({
  modelName,
  model_name = modelName,
  modelVersion,
  ...rest
}: ExactObject): Partial<Names> {
  const { model_version = modelVersion, id } = rest;
  return { modelName: textOf(model_name), modelVersion: textOf(model_version), requestId: textOf(id) };
}

function textOf(json: ExactJson | undefined): string {
  return typeof json === "string" ? json.toWellFormed() : "";
}
