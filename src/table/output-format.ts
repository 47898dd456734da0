import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { didYouMean } from "../wording/nearest-name.ts";
import { TABLE_FORMATS, writtenEndings, writtenFormat } from "./format-endings.ts";
import type { TableFormat } from "./table-source.ts";

/**
 * The format of an output: what `--output-format` names, else by the ending of the file's name; `-` is standard output
 * and needs the flag. Throws CONFIG_INVALID that lists what is possible.
 */
export function outputFormat(outputPath: string, flag: string | undefined): TableFormat {
  if (flag !== undefined) {
    const named = TABLE_FORMATS.find((format) => format === flag.toLowerCase());
    if (named !== undefined) return named;
    const message = `--output-format ${JSON.stringify(flag)} is none of ${TABLE_FORMATS.join(", ")}`;
    throw new AssayError(Reason.CONFIG_INVALID, message + didYouMean(flag, TABLE_FORMATS));
  }
  const byEnding = writtenFormat(outputPath);
  if (byEnding !== undefined) return byEnding;
  const what =
    outputPath === "-" ? "standard output has no ending" : `${outputPath} ends in none that is known`;
  throw new AssayError(
    Reason.CONFIG_INVALID,
    `the output's format is not clear, ${what}: give --output-format ${TABLE_FORMATS.join("|")}, or one of the endings of ${writtenEndings()}`,
  );
}
