/** Classes in the place of values: the highest values of each row, with their places and labels, as Triton writes them. */
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import type { PredictResponse } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../../../gen/assay/v1/tensor_pb.ts";
import { AssayError } from "../../../errors.ts";
import type { ServedModel } from "../../../registry/served-model.ts";
import { type Datatype, type NumericDatatype, numberOf, rowOf } from "../../../tensor/datatype.ts";
import { rawTexts } from "../../../tensor/tensor-contents.ts";
import { shownName } from "../../../wording/field-paths.ts";
import { highestPlaces } from "./highest-places.ts";
import { numbersIn } from "./typed-contents.ts";

/** A model, as far as classes need it. */
interface ClassifiedModel {
  /** Axis 0 of its outputs counts rows. */
  readonly hasRows: boolean;
  labelsOf(output: string): readonly string[];
}

/** Classes of more values, or more classes, are made piece by piece. */
const AT_ONCE = 16_384;
/** Texts that are made at once. */
const PIECE_TEXTS = 4096;

/**
 * The tensors of an answer, in raw form, with classes in the place of those for which some are asked (`topClasses`, by output). Throws
 * INVALID_REQUEST.
 */
export function withClasses(
  { outputs }: Pick<PredictResponse, "outputs">,
  topClasses: ReadonlyMap<string, number>,
  { signature, triton }: Pick<ServedModel, "signature" | "triton">,
): Tensor[] {
  const model: ClassifiedModel = {
    hasRows: signature.batching !== "no-batch-dimension",
    // config.pbtxt's, else the model's own.
    labelsOf: (output) =>
      triton?.labels.get(output) ?? signature.outputs.find(({ name }) => name === output)?.labels ?? [],
  };
  return outputs.map((output) => {
    const count = topClasses.get(output.name);
    return count === undefined ? output : new ClassTexts(output, count, model);
  });
}

/** The classes of an output as a tensor of texts: of many, `pieces` is what makes them, and nobody should ask for all at once. */
export class ClassTexts implements Tensor {
  readonly $typeName = "assay.v1.Tensor";
  readonly datatype = "BYTES";
  readonly contents = undefined;
  readonly name: string;
  readonly shape: bigint[];
  /** Whether they take long to make. */
  readonly isLong: boolean;
  private readonly values: ReturnType<typeof numbersIn>;
  private readonly valueType: Datatype;
  private readonly labels: readonly string[];
  private readonly rows: number;
  private readonly perRow: number;
  private readonly count: number;
  private octets: Uint8Array | undefined = undefined;

  /** The `most` highest of each row of `output`. Throws INVALID_REQUEST where it holds texts. */
  constructor(output: Tensor, most: number, { hasRows, labelsOf }: ClassifiedModel) {
    const { name, datatype, shape } = output;
    if (datatype === "BYTES") {
      throw new AssayError(
        Reason.INVALID_REQUEST,
        `output ${shownName(name)} holds texts, which have no order: ask for its values, without a classification`,
      );
    }
    this.name = name;
    this.valueType = datatype as Datatype;
    this.values = numbersIn(output.rawContents, datatype as NumericDatatype);
    this.rows = hasRows ? Number(shape[0] ?? 1n) : 1;
    this.perRow = this.rows === 0 ? 0 : this.values.length / this.rows;
    this.count = Math.min(most, this.perRow);
    this.labels = labelsOf(name);
    this.shape = (hasRows ? [this.rows, this.count] : [this.count]).map(BigInt);
    this.isLong = this.values.length > AT_ONCE;
  }

  get rawContents(): Uint8Array {
    const texts = this.texts;
    this.octets ??= rawTexts(texts, 0, texts.length);
    return this.octets;
  }

  /** All of them. */
  get texts(): string[] {
    return [...this.pieces()].flat();
  }

  /** All of them, some at a time; none where only time has passed: the event loop may be given back at each. */
  *pieces(): Generator<string[]> {
    const { rows, perRow, count, labels, values, valueType } = this;
    let piece: string[] = [];
    let seen = 0;
    for (let row = 0; row < rows; row++) {
      const first = row * perRow;
      const places = yield* this.placesOf(first);
      for (let i = 0; i < count; i++) {
        const place = places[i]!;
        const label = labels[place];
        const value = valueText(values[first + place]!, valueType);
        piece.push(`${value}:${place}${label === undefined ? "" : `:${label}`}`);
        if (piece.length < PIECE_TEXTS) continue;
        yield piece;
        piece = [];
      }
      seen += perRow;
      if (seen < AT_ONCE) continue;
      seen = 0;
      yield piece;
      piece = [];
    }
    if (piece.length > 0) yield piece;
  }

  private *placesOf(first: number): Generator<string[], ArrayLike<number>> {
    const { values, valueType, perRow, count } = this;
    const row = values.subarray(first, first + perRow);
    const numbers = rowOf(valueType).kind === "float" && valueType !== "FP32" && valueType !== "FP64";
    const read = numbers ? (value: number) => numberOf(valueType, value) : undefined;
    const search = highestPlaces(row, count, read);
    for (;;) {
      const step = search.next();
      if (step.done) return step.value;
      yield [];
    }
  }
}

function valueText(value: number | bigint, datatype: Datatype): string {
  if (rowOf(datatype).kind !== "float") return String(value);
  return numberOf(datatype, value as number).toFixed(6);
}
