import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";

/** A message that came in the query of a GET, as the Connect protocol writes it. */
export interface QueryMessage {
  readonly isJson: boolean;
  /** The name of its compression; undefined: none. */
  readonly compression: string | undefined;
  /** Throws INVALID_REQUEST where the text is no base64. */
  bytes(): Uint8Array;
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** Reads the query of a path; undefined where it names no encoding that Connect has, which the handler refuses. */
export function readQueryMessage(path: string): QueryMessage | undefined {
  const query = path.indexOf("?");
  const parameters = new URLSearchParams(query === -1 ? "" : path.slice(query));
  const encoding = parameters.get("encoding");
  if (encoding !== "json" && encoding !== "proto") return undefined;
  const message = parameters.get("message") ?? "";
  const isBase64 = parameters.get("base64") === "1";
  return {
    isJson: encoding === "json",
    compression: parameters.get("compression") ?? undefined,
    bytes() {
      if (!isBase64) return Buffer.from(message);
      if (!BASE64.test(message)) {
        throw new AssayError(
          Reason.INVALID_REQUEST,
          "the query's message is not valid base64, which base64=1 says it is",
        );
      }
      return Buffer.from(message, "base64");
    },
  };
}
