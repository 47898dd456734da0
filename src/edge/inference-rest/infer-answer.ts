import type { PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import type { ServedModel } from "../../registry/served-model.ts";
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
  const texts = textsOf(answer);
  let text = answerHead(answer, texts);
  const { outputs } = answer.response;
  for (let i = 0; i < outputs.length; i++) {
    const output = outputs[i]!;
    const values = valuesOf(output);
    if (i > 0) text += ",";
    text += outputHead(output, i, texts);
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
  const texts = textsOf(answer);
  const { outputs } = answer.response;
  parts.add(Buffer.from(answerHead(answer, texts)));
  for (let i = 0; i < outputs.length; i++) {
    if (i > 0) parts.addText(",");
    const output = outputs[i]!;
    if (isBinary(answer, output, i)) {
      const before = binary.length;
      for (const piece of octetPieces(output)) {
        binary.add(piece);
        yield;
      }
      parts.add(Buffer.from(`${outputHead(output, i, texts)}${binarySize(binary.length - before)}`));
      continue;
    }
    parts.add(Buffer.from(`${outputHead(output, i, texts)},"data":[`));
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

/** The beginnings of all answers of one version, and of their outputs: written once, and anew where another output takes a place. */
class AnswerTexts {
  readonly model: string;
  private readonly outputs: { readonly name: string; readonly datatype: string; readonly text: string }[] =
    [];

  constructor({ modelName, modelVersion }: PredictResponse) {
    this.model = `"model_name":${JSON.stringify(modelName)},"model_version":${JSON.stringify(modelVersion)},"outputs":[`;
  }

  /** Of the output at a place of the answer, up to the lengths of its axes. */
  output(index: number, { name, datatype }: Tensor): string {
    const known = this.outputs[index];
    if (known !== undefined && known.name === name && known.datatype === datatype) return known.text;
    const text = `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[`;
    this.outputs[index] = { name, datatype, text };
    return text;
  }
}

/** By the version that scored. */
const known = new WeakMap<ServedModel, AnswerTexts>();

function textsOf({ request: { scoredBy }, response }: InferAnswer): AnswerTexts {
  let texts = scoredBy === undefined ? undefined : known.get(scoredBy);
  if (texts === undefined) {
    texts = new AnswerTexts(response);
    if (scoredBy !== undefined) known.set(scoredBy, texts);
  }
  return texts;
}

function answerHead({ response: { requestId } }: InferAnswer, { model }: AnswerTexts): string {
  return requestId === "" ? `{${model}` : `{"id":${JSON.stringify(requestId)},${model}`;
}

function outputHead(output: Tensor, index: number, texts: AnswerTexts): string {
  const { shape } = output;
  let text = texts.output(index, output);
  // As numbers, whose texts V8 keeps: those of bigints are made anew.
  for (let axis = 0; axis < shape.length; axis++)
    text += axis > 0 ? `,${Number(shape[axis])}` : Number(shape[axis]);
  return `${text}]`;
}

/** The end of an output whose values stand behind the JSON. */
function binarySize(octets: number): string {
  return `,"parameters":{"binary_data_size":${octets}}}`;
}

function isBinary({ request }: InferAnswer, { name }: Tensor, index: number): boolean {
  const { asked } = request;
  if (asked.length === 0) return request.isBinary;
  const own =
    asked[index]?.name === name ? asked[index] : asked.find((one) => one.name === name || one.name === "*");
  return own?.isBinary ?? request.isBinary;
}

function hasBinary(answer: InferAnswer): boolean {
  const { outputs } = answer.response;
  for (let i = 0; i < outputs.length; i++) if (isBinary(answer, outputs[i]!, i)) return true;
  return false;
}
