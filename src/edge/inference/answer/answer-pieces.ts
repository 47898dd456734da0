/** Large answers to inference requests, piece by piece: what `MeasuredAnswer` and protobuf's JSON make of the whole. */
import { create, toBinary, toJson } from "@bufbuild/protobuf";
import type { Tensor } from "../../../../gen/assay/v1/tensor_pb.ts";
import {
  InferTensorContentsSchema,
  ModelInferResponseSchema,
  ModelStreamInferResponseSchema,
  ModelInferResponse_InferOutputTensorSchema as OutputSchema,
} from "../../../../gen/inference/grpc_service_pb.ts";
import { type Datatype, type NumericDatatype, rowOf } from "../../../tensor/datatype.ts";
import { PackedContents, type PackedValues } from "../../../tensor/packed-contents.ts";
import { RawTextTensor } from "../../../tensor/raw-text-tensor.ts";
import { rawTexts } from "../../../tensor/tensor-contents.ts";
import { LARGE_OCTETS } from "../../../timing/loop-turns.ts";
import { addMessage } from "../../answer/binary-answer.ts";
import { opened, writeOctets, writeTensor } from "../../answer/json-answer.ts";
import { OctetParts } from "../../answer/octet-parts.ts";
import { rawPieces } from "../../answer/text-pieces.ts";
import { ClassTexts } from "./classification.ts";
import { FINAL, type InferAnswer } from "./infer-answer.ts";
import { numbersIn, textsIn, typedOctets } from "./typed-contents.ts";

const OUTPUTS = ModelInferResponseSchema.field.outputs.number;
const RAW_OUTPUT_CONTENTS = ModelInferResponseSchema.field.rawOutputContents.number;
const CONTENTS = OutputSchema.field.contents.number;
const INFER_RESPONSE = ModelStreamInferResponseSchema.field.inferResponse.number;
const NO_OCTETS = new Uint8Array(0);

/** Octets of numbers that are written at once: a multiple of the size of each datatype. */
const PIECE_OCTETS = 32_768;

/** Whether an answer takes long to write. */
export function isLargeAnswer({ outputs }: { readonly outputs: readonly Tensor[] }): boolean {
  let octets = 0;
  for (const output of outputs) {
    if (output instanceof RawTextTensor || (output instanceof ClassTexts && output.isLong)) return true;
    octets += output.rawContents.length;
  }
  return octets > LARGE_OCTETS;
}

/** Writes a ModelInferResponse; yields where the event loop may be given back. */
export function* writeBinary(answer: InferAnswer, parts: OctetParts): Generator<void> {
  const { request, response, saysFinal } = answer;
  parts.add(toBinary(ModelInferResponseSchema, headOf(response)));
  if (saysFinal === true) parts.add(FINAL);
  const raws: OctetParts[] = [];
  for (const output of response.outputs) {
    const { name, datatype, shape } = output;
    const raw = new OctetParts();
    const field = request.isRaw ? undefined : rowOf(datatype as Datatype).contents;
    const values = new OctetParts();
    for (const piece of octetPieces(output)) {
      raw.add(piece);
      if (field !== undefined) values.add(typedOctets(datatype as Datatype, piece));
      yield;
    }
    const tensor = new OctetParts();
    tensor.add(toBinary(OutputSchema, create(OutputSchema, { name, datatype, shape })));
    if (field === "bytesContents") addMessage(tensor, CONTENTS, values);
    else if (field !== undefined) {
      const contents = new OctetParts();
      if (values.length > 0) addMessage(contents, InferTensorContentsSchema.field[field].number, values);
      addMessage(tensor, CONTENTS, contents);
    }
    addMessage(parts, OUTPUTS, tensor);
    raws.push(raw);
  }
  for (const raw of raws) addMessage(parts, RAW_OUTPUT_CONTENTS, raw);
}

/** Writes the same as JSON. */
export function* writeJson(answer: InferAnswer, parts: OctetParts): Generator<void> {
  const { request, response, saysFinal } = answer;
  const { outputs } = response;
  const head = headOf(response);
  if (saysFinal === true) head.parameters = create(ModelInferResponseSchema, FINAL_PARAMETER).parameters;
  const headText = JSON.stringify(toJson(ModelInferResponseSchema, head));
  parts.add(Buffer.from(opened(headText)));
  parts.addText('"outputs":[');
  for (let i = 0; i < outputs.length; i++) {
    if (i > 0) parts.addText(",");
    const { name, datatype, shape } = outputs[i]!;
    const field = request.isRaw ? undefined : rowOf(datatype as Datatype).contents;
    const contents =
      field === undefined ? undefined : new PackedContents(field, yield* valuesOf(outputs[i]!));
    const head = { $typeName: "assay.v1.Tensor" as const, name, datatype, shape, rawContents: NO_OCTETS };
    yield* writeTensor(contents === undefined ? head : { ...head, contents }, CAMEL, parts);
    yield;
  }
  parts.addText('],"rawOutputContents":[');
  for (let i = 0; i < outputs.length; i++) {
    parts.addText(i > 0 ? ',"' : '"');
    yield* writeOctets(octetPieces(outputs[i]!), parts);
    parts.addText('"');
  }
  parts.addText("]}");
}

/** Writes the ModelStreamInferResponse of an answer, as protobuf or as JSON. */
export function* writeItem(answer: InferAnswer, isJson: boolean, parts: OctetParts): Generator<void> {
  if (isJson) {
    parts.addText('{"inferResponse":');
    yield* writeJson(answer, parts);
    parts.addText("}");
    return;
  }
  const inner = new OctetParts();
  yield* writeBinary(answer, inner);
  addMessage(parts, INFER_RESPONSE, inner);
}

/** An output's octets in raw form, piece by piece: a piece has whole elements. Some may be empty. */
export function* octetPieces(output: Tensor): Generator<Uint8Array> {
  if (output instanceof RawTextTensor) yield* rawPieces(output.texts);
  else if (output instanceof ClassTexts) {
    for (const texts of output.pieces()) yield rawTexts(texts, 0, texts.length);
  } else if (output.datatype === "BYTES") yield output.rawContents;
  else {
    const { rawContents } = output;
    for (let from = 0; from < rawContents.length; from += PIECE_OCTETS)
      yield rawContents.subarray(from, from + PIECE_OCTETS);
  }
}

const CAMEL = { useProtoFieldName: false };
const FINAL_PARAMETER = {
  parameters: { triton_final_response: { parameterChoice: { case: "boolParam" as const, value: true } } },
};

function headOf({ modelName, modelVersion, requestId }: InferAnswer["response"]) {
  return create(ModelInferResponseSchema, { modelName, modelVersion, id: requestId });
}

function* valuesOf(output: Tensor): Generator<void, PackedValues> {
  if (output instanceof RawTextTensor) return output.texts;
  if (output instanceof ClassTexts) {
    const texts: string[] = [];
    for (const piece of output.pieces()) {
      for (const text of piece) texts.push(text);
      yield;
    }
    return texts;
  }
  const { datatype, rawContents } = output;
  return datatype === "BYTES" ? textsIn(rawContents) : numbersIn(rawContents, datatype as NumericDatatype);
}
