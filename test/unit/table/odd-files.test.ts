import { mkdirSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { openSource } from "../../../src/table/read/open-source.ts";
import { readTable, tableFolder } from "../../support/tables/table-folder.ts";

const folder = tableFolder();
const CSV = "a,b\nkäse,1\n";
const ROWS = [["käse", "1"]];
const utf16 = (text: string, big: boolean) => {
  const bytes = Buffer.from(text, "utf16le");
  return big ? bytes.swap16() : bytes;
};

test.each([
  ["zip.csv", "PK\x03\x04a.csv", /zip\.csv is a ZIP archive, which is not read; unpack it first/],
  ["book.csv", "PK\x03\x04[Content_Types].xml", /is an Excel workbook \(\.xlsx\), which is not read; save/],
  ["x.xlsx", "PK\x03\x04xl/workbook.xml", /is an Excel workbook/],
  ["old.csv", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", /is an old Excel workbook/],
  ["t.orc", "ORC\0\0", /is an ORC file/],
  ["orc.parquet", "ORC\0\0", /is an ORC file/],
  ["avro.csv", "Obj\x01\xff", /is an Avro file/],
  ["h5.parquet", "\x89HDF\r\n\x1a\n", /is an HDF5 file/],
  ["p.parquet", "\x80\x04\x95\x10", /is a Python pickle/],
  ["f.feather", "FEA1\0\0", /is a Feather file of version 1/],
  ["b.csv.bz2", "BZh91AY&SY", /is packed by bzip2/],
  ["x.csv.xz", "\xfd7zXZ\0", /is packed by xz/],
  ["lfs.parquet", "version https://git-lfs.github.com/spec/v1\n", /is a pointer of Git LFS, .* git lfs pull/],
  ["page.csv", "<!DOCTYPE html>\n<html>", /is a web page \(HTML\)/],
  ["s.csv", "SQLite format 3\0", /is an SQLite database/],
  ["parquet.csv", "PAR1\x15\x04", /is a Parquet file, and no csv; say --input-format parquet/],
  [
    "cut.parquet",
    `PAR1${"\0".repeat(100)}`,
    /is cut off: it begins as Parquet, and its index at the end is missing/,
  ],
  ["text.parquet", "a,b\n1,2\n1,2\n", /is no Parquet file: it begins with the text "a,b"/],
])("%s is told by its first bytes, with what to do", async (name, content, message) => {
  const path = folder.write(name, Buffer.from(content, "latin1"));
  await expect(openSource({ inputs: [path] })).rejects.toThrow(message);
});

test.each([
  ["z.csv.zst", zstdCompressSync(CSV)],
  ["frames.csv.zst", Buffer.concat([zstdCompressSync("a,b\n"), zstdCompressSync("käse,1\n")])],
  ["unnamed.csv", gzipSync(CSV)],
  ["unnamed-zstd.csv", zstdCompressSync(CSV)],
  ["le.csv", utf16(`\ufeff${CSV}`, false)],
  ["be.csv", utf16(`\ufeff${CSV}`, true)],
  ["le.csv.gz", gzipSync(utf16(`\ufeff${CSV}`, false))],
  ["be.csv.zst", zstdCompressSync(utf16(`\ufeff${CSV}`, true))],
])("%s is read as its bytes are", async (name, content) => {
  expect(
    (await readTable({ inputs: [folder.write(name, content)], csv: { encoding: "utf-8" } })).rows,
  ).toEqual(ROWS);
});

test.each([false, true])(
  "UTF-16 is read from NDJSON and from standard input, the high byte first: %s",
  async (big) => {
    const json = utf16('\ufeff{"a":"käse"}\n{"a":"ü"}\n', big);
    const path = folder.write(`u-${big}.ndjson`, json);
    expect((await readTable({ inputs: [path] })).rows).toEqual([['"käse"'], ['"ü"']]);
    const stream = { inputs: ["-"], temporaryFolder: folder.path };
    const piped = { ...stream, format: "ndjson" as const, standardInput: Readable.from([json]) };
    expect((await readTable(piped)).rows).toEqual([['"käse"'], ['"ü"']]);
    const packed = gzipSync(utf16(`\ufeff${CSV}`, big));
    const csv = { ...stream, format: "csv" as const, standardInput: Readable.from([packed]) };
    expect((await readTable(csv)).rows).toEqual(ROWS);
  },
);

test("UTF-16 without its mark is read where it is told, and looks like it where it is not", async () => {
  const path = folder.write("nomark.csv", utf16("a,b\nxyz,1\n", true));
  const told = await readTable({ inputs: [path], csv: { encoding: "utf-16" } });
  expect(told.rows).toEqual([["xyz", "1"]]);
  await expect(openSource({ inputs: [path] })).rejects.toThrow(/looks like UTF-16 .*--csv-encoding utf-16/);
  const plain = folder.write("plain.csv", "a,b\n1,2\n");
  await expect(openSource({ inputs: [plain], csv: { encoding: "utf-16" } })).rejects.toThrow(/is no UTF-16/);
});

test.each([
  ["twice.csv.gz", gzipSync(gzipSync(CSV)), /is packed twice: what is in it is packed by gzip again/],
  ["other.csv.zst", gzipSync(CSV), /is packed by gzip, though its name ends in \.zst/],
  ["cut.csv.zst", zstdCompressSync(CSV.repeat(99)).subarray(0, -5), /is cut off: its end is missing/],
  ["zip.csv.gz", gzipSync("PK\x03\x04"), /is a packed file: in it is a ZIP archive/],
])("%s is refused by what is wrong with its packing", async (name, content, message) => {
  await expect(openSource({ inputs: [folder.write(name, content)] })).rejects.toThrow(message);
});

test.each([
  [
    "s3://bucket/a.parquet",
    /is not on this machine's disk, .*httpfs.* copy the file here first \(aws s3 cp\)/,
  ],
  ["s3://bucket/*.parquet", /is not on this machine's disk/],
  ["https://x.org/a.csv", /is not on this machine's disk/],
  ["file://host/a.csv", /is not on this machine's disk/],
  ["~/no-such-file.csv", new RegExp(`only a shell reads ~.*write ${homedir()}/no-such-file\\.csv`)],
])("%s is no path here, and the error says what to do", async (input, message) => {
  await expect(openSource({ inputs: [input] })).rejects.toThrow(message);
});

test("the address of a file here is its path", async () => {
  const path = folder.write("a b.csv", CSV);
  expect((await readTable({ inputs: [`file://${path.replace(" ", "%20")}`] })).rows).toEqual(ROWS);
});

test("a pattern leaves out what Spark writes beside its data, and a folder says which files it holds", async () => {
  for (const name of [".part-0.csv.crc", "_SUCCESS", "_temporary/0/x.csv"])
    folder.write(`spark/${name}`, "x");
  folder.write("spark/part-0.csv", CSV);
  for (const pattern of ["*", "**"]) {
    expect((await readTable({ inputs: [`${folder.path}/spark/${pattern}`] })).rows).toEqual(ROWS);
  }
  await expect(openSource({ inputs: [`${folder.path}/spark/`] })).rejects.toThrow(
    /spark\/ is a folder; name its files: --input '.*spark\/\*\.csv'/,
  );
  folder.write("markers/_SUCCESS", "");
  await expect(openSource({ inputs: [`${folder.path}/markers/*`] })).rejects.toThrow(
    /only hidden files and markers/,
  );
  folder.write("delta/_delta_log/0.json", "{}");
  await expect(openSource({ inputs: [`${folder.path}/delta`] })).rejects.toThrow(/is a table of Delta Lake/);
  folder.write("hive/year=2024/a.csv", CSV);
  folder.write("hive/b.csv", CSV);
  await expect(openSource({ inputs: [`${folder.path}/hive`] })).rejects.toThrow(/hive\/\*\.csv'/);
  mkdirSync(`${folder.path}/none`);
  await expect(openSource({ inputs: [`${folder.path}/none`] })).rejects.toThrow(
    /is a folder without a table in it/,
  );
});

test("a link to nothing, links in a circle and a file taken for a folder are told in words", async () => {
  symlinkSync("/no/such/file", `${folder.path}/dangling.csv`);
  symlinkSync("circle.csv", `${folder.path}/circle.csv`);
  const open = (name: string) => openSource({ inputs: [`${folder.path}/${name}`] });
  await expect(open("dangling.csv")).rejects.toThrow(/is a link to \/no\/such\/file, and nothing is there/);
  await expect(open("circle.csv")).rejects.toThrow(/its links lead in a circle/);
  folder.write("file.csv", CSV);
  await expect(open("file.csv/x.csv")).rejects.toThrow(/there is no file/);
});

test("a line of NDJSON that is no object is a row with a fault where that is asked for, with its line", async () => {
  const lines = ['{"a":1}', "", '{"a":2', "[1]", '{"a":3}', '{"a":4,"a":5}', "42", '{"a":6}'];
  const path = folder.write("bad.ndjson", `${lines.join("\n")}\n`);
  await expect(openSource({ inputs: [path] })).rejects.toThrow(/bad\.ndjson, line 3 is not a JSON object/);
  const expected = new Map([
    [1, 'line 3 is not a JSON object: {"a":2'],
    [2, "line 4 is not a JSON object: [1]"],
    [4, 'line 6 has a key twice: {"a":4,"a":5}'],
    [5, "line 7 is not a JSON object: 42"],
  ]);
  const piped = { inputs: ["-"], format: "ndjson" as const, temporaryFolder: folder.path };
  for (const options of [
    { inputs: [path] },
    { ...piped, standardInput: Readable.from([Buffer.from(`${lines.join("\n")}\n`)]) },
  ]) {
    const source = await openSource({ ...options, keepsBadLines: true });
    for await (const chunk of source.read([{ name: "a" }], 0)) {
      expect(chunk.faults).toEqual(expected);
      expect(chunk.chunk.rowCount).toBe(7);
      expect(chunk.chunk.getColumnVector(0).getItem(6)).toBe("6");
    }
    source.close();
  }
});
