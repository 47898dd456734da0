import type { Tensor } from "../../gen/assay/v1/tensor_pb.ts";
import { rawTexts } from "./tensor-contents.ts";

/**
 * A large tensor of texts in raw form, as the texts themselves: whoever knows of it reads `texts`, piece by piece; for all others it is a
 * message as any, whose octets are made when they are read.
 */
export class RawTextTensor implements Tensor {
  readonly $typeName = "assay.v1.Tensor";
  readonly datatype = "BYTES";
  readonly contents = undefined;
  readonly name: string;
  readonly shape: bigint[];
  readonly texts: readonly string[];
  private octets: Uint8Array | undefined = undefined;

  constructor(name: string, shape: bigint[], texts: readonly string[]) {
    this.name = name;
    this.shape = shape;
    this.texts = texts;
  }

  get rawContents(): Uint8Array {
    this.octets ??= rawTexts(this.texts, 0, this.texts.length);
    return this.octets;
  }
}
