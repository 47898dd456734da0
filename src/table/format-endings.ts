import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { didYouMean } from "../wording/nearest-name.ts";
import type { TableFormat } from "./table-source.ts";

interface Endings {
  /** Of outputs, and of inputs too. */
  readonly written: readonly string[];
  /** Of inputs alone. */
  readonly onlyRead: readonly string[];
}

/** What names end in, by format; docs/scoring-files.md lists the same. */
const ENDINGS: Readonly<Record<TableFormat, Endings>> = {
  parquet: { written: [".parquet", ".pq"], onlyRead: [] },
  csv: { written: [".csv"], onlyRead: [".tsv", ".txt", ".data"] },
  ndjson: { written: [".ndjson", ".jsonl"], onlyRead: [".json"] },
  arrow: { written: [".arrow", ".feather", ".ipc"], onlyRead: [".arrows"] },
};
/** What DuckDB reads packed as a whole. */
const PACKED: readonly TableFormat[] = ["csv", "ndjson"];
const PACKED_ENDING = /\.(gz|zstd?)$/;

/** Every format, in the order in which messages list them. */
export const TABLE_FORMATS = Object.keys(ENDINGS) as readonly TableFormat[];

/** The format of an input by the ending of its name, in any case; undefined where it tells none. */
export function readFormat(name: string): TableFormat | undefined {
  const lower = name.toLowerCase();
  return TABLE_FORMATS.find((format) => {
    const { written, onlyRead } = ENDINGS[format];
    const plain = PACKED.includes(format) ? lower.replace(PACKED_ENDING, "") : lower;
    return [...written, ...onlyRead].some((ending) => plain.endsWith(ending));
  });
}

/** The format of an output by the ending of its name, in any case; undefined where it tells none. */
export function writtenFormat(name: string): TableFormat | undefined {
  const lower = name.toLowerCase();
  return TABLE_FORMATS.find((format) => {
    const plain = PACKED.includes(format) ? lower.replace(PACKED_ENDING, "") : lower;
    return ENDINGS[format].written.some((ending) => plain.endsWith(ending));
  });
}

/** For messages: `parquet (.parquet, .pq), csv (.csv), …`. */
export function writtenEndings(): string {
  return TABLE_FORMATS.map((format) => `${format} (${ENDINGS[format].written.join(", ")})`).join(", ");
}

/** How an output is packed; of Parquet, its pages. */
export type OutputPacking = "none" | "gzip" | "zstd" | "snappy";

/** What each format can be packed by; the first is what it is where nothing is said. */
const PACKINGS: Readonly<Record<TableFormat, readonly OutputPacking[]>> = {
  // Every reader of Parquet knows snappy; zstd makes scores 6 to 30 % smaller for up to a third more work.
  parquet: ["snappy", "zstd", "gzip", "none"],
  csv: ["none", "gzip", "zstd"],
  ndjson: ["none", "gzip", "zstd"],
  arrow: ["none"],
};

/**
 * How an output is packed: as `--compression` says, else as the ending of its name does. Throws CONFIG_INVALID where the two differ, or
 * the format cannot be.
 */
export function outputPacking(outputPath: string, format: TableFormat, flag: string): OutputPacking {
  const given = flag === "" ? undefined : (flag as OutputPacking);
  const ending = PACKED.includes(format) ? PACKED_ENDING.exec(outputPath.toLowerCase())?.[1] : undefined;
  const byEnding = ending === undefined ? undefined : ending === "gz" ? "gzip" : "zstd";
  const possible: readonly OutputPacking[] =
    outputPath === "-" && PACKED.includes(format) ? ["none"] : PACKINGS[format];
  const wrong = (why: string) => new AssayError(Reason.CONFIG_INVALID, `--compression ${flag}: ${why}`);
  if (given !== undefined && !possible.includes(given)) {
    const pipe = outputPath === "-" ? "; pipe it through gzip or zstd" : "";
    const where = outputPath === "-" ? `${format} on standard output` : format;
    throw wrong(`${where} is written with ${possible.join(", ")}${pipe}`);
  }
  if (given !== undefined && byEnding !== undefined && given !== byEnding)
    throw wrong(`${outputPath} ends as a file packed by ${byEnding} does`);
  return given ?? byEnding ?? possible[0]!;
}

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
