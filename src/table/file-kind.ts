/** What a file is by its first bytes, whatever its name says. Pure. */
import type { TableFormat } from "./table-source.ts";

/** The number of first bytes that tell a file's kind. */
export const KIND_BYTES = 4096;

/** The packing of a file; what is in it is a table of some format. */
export type Packing = "none" | "gzip" | "zstd";

interface Kind {
  /** `an Excel workbook`. */
  readonly what: string;
  /** What to do about it. */
  readonly advice: string;
  readonly is: (head: Buffer, text: string) => boolean;
}

const starts = (bytes: string) => (_: Buffer, text: string) => text.startsWith(bytes);
const UNPACK = (tool: string) => `unpack it first (${tool})`;
const WITH_PANDAS = (reader: string) => `write it as Parquet: pandas.${reader}(…).to_parquet(…)`;

/** What is no table here, and what makes one of it. The first that fits is told. */
const FOREIGN: readonly Kind[] = [
  {
    what: "an Excel workbook (.xlsx)",
    advice: "save the sheet as CSV",
    is: (_, text) => text.startsWith("PK\x03\x04") && /\[Content_Types\]\.xml|xl\//.test(text),
  },
  {
    what: "an OpenDocument file (.ods)",
    advice: "save the sheet as CSV",
    is: (_, text) => text.startsWith("PK\x03\x04") && text.includes("opendocument"),
  },
  {
    what: "a ZIP archive",
    advice: UNPACK("unzip"),
    is: (_, text) => text.startsWith("PK\x03\x04") || text.startsWith("PK\x05\x06"),
  },
  {
    what: "an old Excel workbook (.xls)",
    advice: "save the sheet as CSV",
    is: starts("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
  },
  { what: "an ORC file", advice: WITH_PANDAS("read_orc"), is: starts("ORC") },
  {
    what: "an Avro file",
    advice: "write it as Parquet, such as by Spark or Polars",
    is: starts("Obj\x01"),
  },
  {
    what: "a Feather file of version 1, which is older than Arrow IPC and not read",
    advice: "write it anew: pyarrow.feather.write_feather(pyarrow.feather.read_table(…), …)",
    is: starts("FEA1"),
  },
  { what: "an HDF5 file", advice: WITH_PANDAS("read_hdf"), is: starts("\x89HDF\r\n\x1a\n") },
  {
    what: "a NumPy array",
    advice: "write it as Parquet with names for its columns",
    is: starts("\x93NUMPY"),
  },
  {
    what: "an SQLite database",
    advice: "write the table as CSV (sqlite3 -header -csv FILE 'SELECT …')",
    is: starts("SQLite format 3\0"),
  },
  {
    what: "a DuckDB database",
    advice: "write the table as Parquet (duckdb FILE \"COPY … TO 'x.parquet'\")",
    is: (head) => head.subarray(8, 12).toString("latin1") === "DUCK",
  },
  { what: "an R data file", advice: "write it as Parquet or CSV (arrow::write_parquet)", is: starts("RDX") },
  { what: "a Stata file", advice: WITH_PANDAS("read_stata"), is: starts("<stata_dta>") },
  { what: "an SPSS file", advice: WITH_PANDAS("read_spss"), is: (_, text) => /^\$FL[23]/.test(text) },
  { what: "a PDF", advice: "name the table it was made from", is: starts("%PDF-") },
  { what: "packed by bzip2", advice: UNPACK("bunzip2"), is: (_, text) => /^BZh[1-9]1AY&SY/.test(text) },
  { what: "packed by xz", advice: UNPACK("unxz"), is: starts("\xfd7zXZ\0") },
  { what: "packed by LZ4", advice: UNPACK("unlz4"), is: starts("\x04\x22\x4d\x18") },
  { what: "packed by Snappy", advice: "unpack it first", is: starts("\xff\x06\0\0sNaPpY") },
  { what: "a 7z archive", advice: UNPACK("7z x"), is: starts("7z\xbc\xaf\x27\x1c") },
  {
    what: "a tar archive",
    advice: UNPACK("tar -xf"),
    is: (head) => head.subarray(257, 262).toString("latin1") === "ustar",
  },
  {
    what: "a pointer of Git LFS, not the file itself",
    advice: "fetch the file: git lfs pull",
    is: starts("version https://git-lfs.github.com/"),
  },
  {
    what: "a web page (HTML)",
    advice:
      "most likely the answer of a server that did not give the file: look into it, and fetch the file anew",
    is: (_, text) => /^\s*(<!doctype html|<html)/i.test(text.replace(/^\xef\xbb\xbf/, "")),
  },
  {
    what: "an XML file",
    advice: "write it as CSV or Parquet",
    is: (_, text) => /^\s*<\?xml/i.test(text.replace(/^\xef\xbb\xbf/, "")),
  },
  {
    what: "a Python pickle",
    advice: `${WITH_PANDAS("read_pickle")}, where you trust who made it`,
    is: (head) =>
      head[0] === 0x80 &&
      head[1]! >= 2 &&
      head[1]! <= 5 &&
      /^..(\x95|c|\(|\]|\}|K|X|q|\x8c)/s.test(latin1(head)),
  },
];

/** What Assay reads, by how it begins. */
const READ: readonly { readonly format: TableFormat; readonly what: string; readonly begins: string }[] = [
  { format: "parquet", what: "a Parquet file", begins: "PAR1" },
  { format: "parquet", what: "an encrypted Parquet file", begins: "PARE" },
  { format: "arrow", what: "an Arrow file", begins: "ARROW1" },
];

/** The packing of a file, by its first bytes. */
export function packingOf(head: Buffer): Packing {
  if (head[0] === 0x1f && head[1] === 0x8b && head[2] === 8) return "gzip";
  return head.length >= 4 && head.readUInt32LE() === 0xfd2fb528 ? "zstd" : "none";
}

/** Says what a file is, where that is not what it is to be read as: `an ORC file, which is not read; …`; undefined where it may be. */
export function foreignKind(head: Buffer, format: TableFormat | undefined): string | undefined {
  const text = latin1(head);
  const read = READ.find(({ begins }) => text.startsWith(begins));
  if (read !== undefined) {
    if (read.format === format) return undefined;
    return `${read.what}${format === undefined ? "" : `, and no ${format}`}; say --input-format ${read.format}`;
  }
  const foreign = FOREIGN.find(({ is }) => is(head, text));
  return foreign === undefined
    ? undefined
    : `${foreign.what}${foreign.what.includes(",") ? "" : ", which is not read"}; ${foreign.advice}`;
}

/** For a message: how a file begins. */
export function beginning(head: Buffer): string {
  if (head.length === 0) return "it is empty";
  const text = head
    .subarray(0, 40)
    .toString("utf8")
    .split(/[\r\n]/)[0]!;
  if (/^[^\p{C}\ufffd]{2,}$/u.test(text)) return `it begins with the text ${JSON.stringify(text)}`;
  return `its first bytes are ${head
    .subarray(0, 8)
    .toString("hex")
    .replaceAll(/(..)(?=.)/g, "$1 ")}`;
}

function latin1(head: Buffer): string {
  return head.toString("latin1");
}
