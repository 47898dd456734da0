import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Limit } from "../../limits.ts";
import { WireCursor } from "../../wire/wire-cursor.ts";

/** A place in the octets of a request, whose caller is told what is wrong with them: throws INVALID_REQUEST. */
export class RequestCursor extends WireCursor {
  private readonly typeName: string;

  constructor(bytes: Uint8Array, typeName: string) {
    super();
    this.typeName = typeName;
    this.begin(bytes);
  }

  override fail(what: string, limit?: Limit): never {
    const { length } = this.bytes;
    throw new AssayError(
      Reason.INVALID_REQUEST,
      `the message of ${length} bytes is no protobuf of ${this.typeName}: it ${what}, near byte ${Math.min(this.at, length)}`,
      { limit },
    );
  }
}
