import type { Tensor } from "../../gen/assay/v1/tensor_pb.ts";

/** A tensor of raw floats that somebody has read already: none of them is NaN or infinite, so that nobody needs to look again. */
export class FiniteTensor implements Tensor {
  readonly $typeName = "assay.v1.Tensor";
  readonly contents = undefined;
  readonly name: string;
  readonly datatype: string;
  readonly shape: bigint[];
  readonly rawContents: Uint8Array;

  constructor({ name, datatype, shape, rawContents }: Omit<Tensor, "$typeName" | "contents">) {
    this.name = name;
    this.datatype = datatype;
    this.shape = shape;
    this.rawContents = rawContents;
  }
}
