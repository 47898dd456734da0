import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError, messageOf } from "../errors.ts";

/** A TABLE_INVALID; `message` names the file and, where there are any, column and row. */
export function tableError(message: string, cause?: unknown): AssayError {
  return new AssayError(Reason.TABLE_INVALID, message, cause === undefined ? {} : { cause });
}

/**
 * DuckDB's reason in a line: without its class of error, the excerpt of our query, the settings it lists and the
 * options of its own that it proposes.
 */
export function duckdbReason(error: unknown): string {
  const text = messageOf(error);
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    if (/^(Possible (fixes|Solution)|LINE \d|Try |This can happen)|^ {2}\w+ = |^\s*$/i.test(line)) break;
    lines.push(line.trim());
  }
  const plain = lines
    .join(" ")
    .replace(/^((?:[A-Z]\w*(?: to)? )*(?:Error|Exception): )+/, "")
    .replace(/[\s.]+$/, "");
  if (/Out of Memory/i.test(text)) {
    return `a part of it does not fit in the memory set aside for reading (${plain})`;
  }
  if (/requires the extension/.test(text)) {
    return "it is not on this machine's disk, and Assay's DuckDB fetches nothing; copy it here first";
  }
  return plain === "" ? text.trim() : plain;
}
