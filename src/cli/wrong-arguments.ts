import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";

/** CONFIG_INVALID with every problem of a command's arguments, and where its help is. */
export function wrongArguments(problems: readonly string[], command: string): AssayError {
  return new AssayError(Reason.CONFIG_INVALID, [...problems, `see assay ${command} --help`].join("\n"));
}
