import type { Tensor } from "../../gen/assay/v1/tensor_pb.ts";

/** Enough for any answer, which names the first so many texts that are wrong, or the first of so many rows. */
const KEPT = 1000;

/** One text that no model can take. */
interface WrongText {
  /** Row-major. */
  readonly index: number;
  readonly octets: Uint8Array;
}

/** The texts of one tensor that no model can take, found piece by piece: all are counted, and those kept that an answer may name. */
export class WrongTexts {
  count = 0;
  /** In the order of their indices. */
  readonly kept: WrongText[] = [];
  private readonly rowElements: number;
  private keptRows = 0;
  private lastRow = -1;

  /** `shape` says which of them share a row; without one each is taken for a row of its own. */
  constructor(shape: readonly bigint[] = []) {
    const elements = shape.slice(1).reduce((product, length) => product * Number(length), 1);
    this.rowElements = elements > 0 ? elements : 1;
  }

  /** Adds the next one; indices ascend. */
  add(index: number, octets: Uint8Array): void {
    this.count++;
    const row = Math.floor(index / this.rowElements);
    const isFirst = row !== this.lastRow;
    if (this.count > KEPT && !(isFirst && this.keptRows < KEPT)) return;
    if (isFirst) this.keptRows++;
    this.lastRow = row;
    this.kept.push({ index, octets });
  }
}

/** A large tensor of raw octets that are no texts a model can take, which was found out piece by piece. */
export class WrongTextTensor implements Tensor {
  readonly $typeName = "assay.v1.Tensor";
  readonly datatype = "BYTES";
  readonly contents = undefined;
  readonly name: string;
  readonly shape: bigint[];
  readonly rawContents: Uint8Array;
  /** Undefined where the octets are not as many texts as the shape says. */
  readonly wrong: WrongTexts | undefined;

  constructor({ name, shape, rawContents }: Tensor, wrong: WrongTexts | undefined) {
    this.name = name;
    this.shape = shape;
    this.rawContents = rawContents;
    this.wrong = wrong;
  }
}
