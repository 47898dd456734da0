import type { PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import { OctetParts } from "../answer/octet-parts.ts";
import { isLargeAnswer, octetPieces } from "../inference/answer/answer-pieces.ts";
import type { InferRequest } from "./infer-request.ts";
import { jsonPieces, valuesJson, valuesOctets, valuesOf } from "./output-values.ts";

/** What a request is answered with. */
export class InferAnswer {
  readonly request: InferRequest;
  readonly response: PredictResponse;
  /** Of the JSON that the answer begins with, where binary data follows; else 0. Known once it is encoded. */
  headerBytes = 0;

  constructor(request: InferRequest, response: PredictResponse) {
    this.request = request;
    this.response = response;
  }
}

/** Numbers take long to write. */
const LONG_JSON_OCTETS = 65_536;

/** Whether an answer takes long to write. */
export function isLongAnswer(answer: InferAnswer): boolean {
  const { outputs } = answer.response;
  if (isLargeAnswer(answer.response)) return true;
  let octets = 0;
  for (let i = 0; i < outputs.length; i++) {
    if (!isBinary(answer, outputs[i]!, i)) octets += outputs[i]!.rawContents.length;
  }
  return octets > LONG_JSON_OCTETS;
}

/** Writes an answer at once. */
export function encodeAnswer(answer: InferAnswer): Uint8Array {
  let binary: Uint8Array[] | undefined;
  let text = answerHead(answer);
  const { outputs } = answer.response;
  for (let i = 0; i < outputs.length; i++) {
    const output = outputs[i]!;
    const values = valuesOf(output);
    text += i > 0 ? `,${outputHead(output)}` : outputHead(output);
    if (isBinary(answer, output, i)) {
      const octets = valuesOctets(values);
      binary ??= [];
      binary.push(octets);
      text += binarySize(octets.length);
    } else text += `,"data":[${valuesJson(values, 0, values.values.length)}]}`;
  }
  if (binary === undefined) return Buffer.from(`${text}]}\n`);
  const json = Buffer.from(`${text}]}`);
  answer.headerBytes = json.length;
  return Buffer.concat([json, ...binary]);
}

/** Writes the same piece by piece; yields where the event loop may be given back. */
export function* writeAnswer(answer: InferAnswer, parts: OctetParts): Generator<void> {
  const binary = new OctetParts();
  const { outputs } = answer.response;
  parts.add(Buffer.from(answerHead(answer)));
  for (let i = 0; i < outputs.length; i++) {
    if (i > 0) parts.addText(",");
    const output = outputs[i]!;
    if (isBinary(answer, output, i)) {
      const before = binary.length;
      for (const piece of octetPieces(output)) {
        binary.add(piece);
        yield;
      }
      parts.add(Buffer.from(`${outputHead(output)}${binarySize(binary.length - before)}`));
      continue;
    }
    parts.add(Buffer.from(`${outputHead(output)},"data":[`));
    for (const piece of jsonPieces(output)) {
      parts.add(Buffer.from(piece));
      yield;
    }
    parts.addText("]}");
  }
  parts.addText("]}");
  if (hasBinary(answer)) answer.headerBytes = parts.length;
  else parts.addText("\n");
  parts.addParts(binary);
}

function answerHead({ response: { modelName, modelVersion, requestId } }: InferAnswer): string {
  const id = requestId === "" ? "" : `"id":${JSON.stringify(requestId)},`;
  return `{${id}"model_name":${JSON.stringify(modelName)},"model_version":${JSON.stringify(modelVersion)},"outputs":[`;
}

function outputHead({ name, datatype, shape }: Tensor): string {
  return `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(",")}]`;
}

/** The end of an output whose values stand behind the JSON. */
function binarySize(octets: number): string {
  return `,"parameters":{"binary_data_size":${octets}}}`;
}

function isBinary({ request }: InferAnswer, { name }: Tensor, index: number): boolean {
  const { asked } = request;
  const own =
    asked[index]?.name === name ? asked[index] : asked.find((one) => one.name === name || one.name === "*");
  return own?.isBinary ?? request.isBinary;
}

function hasBinary(answer: InferAnswer): boolean {
  const { outputs } = answer.response;
  for (let i = 0; i < outputs.length; i++) if (isBinary(answer, outputs[i]!, i)) return true;
  return false;
}
