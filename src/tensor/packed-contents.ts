import type { TensorContents } from "../../gen/assay/v1/tensor_pb.ts";
import type { ContentsField, NumericArray } from "./datatype.ts";
import type { WrongTexts } from "./wrong-texts.ts";

/** Elements side by side: booleans as 0 and 1, texts as strings. */
export type PackedValues = NumericArray | readonly string[];

const utf8 = new TextEncoder();

/**
 * The contents of a large tensor, which lie in one array: lists of millions of numbers take four times the memory and hold the event
 * loop while they are made. Whoever knows of it reads `values`; for all others it is a message as any, whose list is made when it is read.
 */
export class PackedContents implements TensorContents {
  readonly $typeName = "assay.v1.TensorContents";
  readonly field: ContentsField;
  readonly values: PackedValues;
  /** What stands for a text that no model can take is of no use. */
  readonly wrong: WrongTexts | undefined;
  private list: unknown[] | undefined = undefined;

  constructor(field: ContentsField, values: PackedValues, wrong?: WrongTexts) {
    this.field = field;
    this.values = values;
    this.wrong = wrong;
  }

  get boolContents(): boolean[] {
    return this.listOf("boolContents", (value) => value !== 0) as boolean[];
  }
  get intContents(): number[] {
    return this.listOf("intContents") as number[];
  }
  get int64Contents(): bigint[] {
    return this.listOf("int64Contents") as bigint[];
  }
  get uintContents(): number[] {
    return this.listOf("uintContents") as number[];
  }
  get uint64Contents(): bigint[] {
    return this.listOf("uint64Contents") as bigint[];
  }
  get fp32Contents(): number[] {
    return this.listOf("fp32Contents") as number[];
  }
  get fp64Contents(): number[] {
    return this.listOf("fp64Contents") as number[];
  }
  get bytesContents(): Uint8Array[] {
    return this.listOf("bytesContents", (text) => utf8.encode(text as string)) as Uint8Array[];
  }

  private listOf(field: ContentsField, element: (value: unknown) => unknown = (value) => value): unknown[] {
    if (field !== this.field) return [];
    if (this.list !== undefined) return this.list;
    const { values } = this;
    const list = new Array<unknown>(values.length);
    for (let i = 0; i < values.length; i++) list[i] = element(values[i]);
    this.list = list;
    return list;
  }
}
