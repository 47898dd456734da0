/** Answers in the forms of KServe v1, TensorFlow Serving and MLflow: a prediction for each row, or a column for each output. */
import type { PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import { isDatatype } from "../../tensor/datatype.ts";
import type { OctetParts } from "../answer/octet-parts.ts";
import { finite, type JsonElement, type TensorElements, tensorElements } from "../json/tensor-elements.ts";
import type { ForeignRequest } from "./foreign-decoding.ts";

/** An answer with the request that it is of. */
export interface ForeignAnswer {
  readonly request: ForeignRequest;
  readonly response: PredictResponse;
}

/** Values that are written at once. */
const PIECE_VALUES = 4096;

/** What an answer has for each row: scores, else labels; undefined where it has its outputs only. */
export function rowValues({
  request,
  response,
}: ForeignAnswer): readonly (number | string | null)[] | undefined {
  const { scores, labels } = response;
  switch (request.predictions) {
    case "outputs":
      return undefined;
    case "labels":
      return labels;
    default:
      if (scores.length > 0) return scores.every(Number.isFinite) ? scores : scores.map(finite);
      return labels.length > 0 ? labels : undefined;
  }
}

/** Characters that become octets at once. */
const PIECE_CHARACTERS = 65_536;

/** The text of an answer, which becomes octets piece by piece. */
class AnswerText {
  private readonly parts: OctetParts;
  private text = "";

  constructor(parts: OctetParts) {
    this.parts = parts;
  }

  add(text: string): void {
    this.text += text;
    if (this.text.length > PIECE_CHARACTERS) this.end();
  }

  end(): void {
    this.parts.add(Buffer.from(this.text));
    this.text = "";
  }
}

/** Writes an answer with one member, called `member`; yields where the event loop may be given back. */
export function* writePredictions(
  answer: ForeignAnswer,
  member: string,
  octets: OctetParts,
): Generator<void> {
  const parts = new AnswerText(octets);
  parts.add(`{${JSON.stringify(member)}:`);
  const values = rowValues(answer);
  if (values !== undefined) yield* writeValues(values.length, (index) => values[index]!, parts);
  else yield* writeOutputs(answer, parts);
  parts.add("}");
  parts.end();
}

function* writeOutputs({ request, response }: ForeignAnswer, parts: AnswerText): Generator<void> {
  const { rowCount, isColumnar } = request;
  const outputs = response.outputs.map((tensor) => new WrittenTensor(tensor));
  const [only] = outputs;
  if (outputs.length === 1) yield* only!.write(parts);
  else if (isColumnar || !outputs.every(({ shape }) => shape[0] === rowCount)) {
    yield* writeObject(outputs, (output) => output.write(parts), parts);
  } else {
    parts.add("[");
    for (let row = 0; row < rowCount; row++) {
      if (row > 0) parts.add(",");
      yield* writeObject(outputs, (output) => output.writeRow(row, parts), parts);
      if (row % 64 === 63) yield;
    }
    parts.add("]");
  }
}

function* writeObject(
  outputs: readonly WrittenTensor[],
  write: (output: WrittenTensor) => Generator<void>,
  parts: AnswerText,
): Generator<void> {
  for (const [index, output] of outputs.entries()) {
    parts.add(`${index === 0 ? "{" : ","}${JSON.stringify(output.name)}:`);
    yield* write(output);
  }
  parts.add("}");
}

/** One output as nested lists. */
class WrittenTensor {
  readonly name: string;
  readonly shape: readonly number[];
  private readonly elements: TensorElements;

  constructor(tensor: Tensor) {
    this.name = tensor.name;
    this.shape = tensor.shape.map(Number);
    this.elements = isDatatype(tensor.datatype)
      ? tensorElements(tensor, tensor.datatype)
      : { count: 0, at: () => null };
  }

  write(parts: AnswerText): Generator<void> {
    return this.nested(0, 0, this.elements.count, parts);
  }

  writeRow(row: number, parts: AnswerText): Generator<void> {
    const width = this.elements.count / this.shape[0]!;
    return this.nested(1, row * width, width, parts);
  }

  private *nested(axis: number, from: number, count: number, parts: AnswerText): Generator<void> {
    const { shape, elements } = this;
    if (axis >= shape.length) {
      parts.add(elementText(elements.at(from)));
    } else if (axis === shape.length - 1) {
      yield* writeValues(count, (index) => elements.at(from + index), parts);
    } else {
      const length = shape[axis]!;
      const inner = length === 0 ? 0 : count / length;
      parts.add("[");
      for (let i = 0; i < length; i++) {
        if (i > 0) parts.add(",");
        yield* this.nested(axis + 1, from + i * inner, inner, parts);
        if (i % 64 === 63) yield;
      }
      parts.add("]");
    }
  }
}

function* writeValues(count: number, at: (index: number) => JsonElement, parts: AnswerText): Generator<void> {
  let text = "[";
  for (let index = 0; index < count; index++) {
    if (index > 0) text += ",";
    text += elementText(at(index));
    if (index % PIECE_VALUES !== PIECE_VALUES - 1 && text.length < PIECE_CHARACTERS) continue;
    parts.add(text);
    text = "";
    yield;
  }
  parts.add(`${text}]`);
}

function elementText(element: JsonElement): string {
  return typeof element === "bigint" ? String(element) : JSON.stringify(element);
}
