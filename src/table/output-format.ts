import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { didYouMean } from "../nearest-name.ts";
import type { TableFormat } from "./table-source.ts";

const ENDINGS: Readonly<Record<TableFormat, readonly string[]>> = {
  parquet: [".parquet", ".pq"],
  csv: [".csv"],
  ndjson: [".ndjson", ".jsonl"],
  arrow: [".arrow", ".feather", ".ipc"],
};

/**
 * The format of an output: what `--output-format` names, else by the ending of the file's name; `-` is standard output
 * and needs the flag. Throws CONFIG_INVALID that lists what is possible.
 */
export function outputFormat(outputPath: string, flag: string | undefined): TableFormat {
  const formats = Object.keys(ENDINGS) as TableFormat[];
  if (flag !== undefined) {
    const named = formats.find((format) => format === flag.toLowerCase());
    if (named !== undefined) return named;
    const message = `--output-format ${JSON.stringify(flag)} is none of ${formats.join(", ")}`;
    throw new AssayError(Reason.CONFIG_INVALID, message + didYouMean(flag, formats));
  }
  const name = outputPath.toLowerCase();
  const byEnding = formats.find((format) => ENDINGS[format].some((ending) => name.endsWith(ending)));
  if (byEnding !== undefined) return byEnding;
  const what =
    outputPath === "-" ? "standard output has no ending" : `${outputPath} ends in none that is known`;
  const endings = formats.map((format) => `${format} (${ENDINGS[format].join(", ")})`).join(", ");
  throw new AssayError(
    Reason.CONFIG_INVALID,
    `the output's format is not clear, ${what}: give --output-format ${formats.join("|")}, or one of the endings of ${endings}`,
  );
}
