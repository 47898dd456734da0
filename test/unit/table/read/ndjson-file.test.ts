import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readTable, tableFolder } from "../../../support/tables/table-folder.ts";

const folder = tableFolder();
const read = (name: string, content: string | Uint8Array) =>
  readTable({ inputs: [folder.write(name, content)] });

test("every value is its JSON text, whatever its type", async () => {
  const lines = [
    '{"a":1,"b":"x","n":null}',
    '{"a":"str","b":-2.5e-7}',
    "",
    '{"a":12345678901234567890123,"b":{"z":[1]},"n":true}',
  ];
  const table = await read("a.ndjson", `\ufeff${lines.join("\r\n")}\n`);
  expect(table.names).toEqual(["a", "b", "n"]);
  expect(table.types).toEqual(["JSON", "JSON", "JSON"]);
  expect(table.rows).toEqual([
    ["1", '"x"', null],
    ['"str"', "-2.5e-7", null],
    ["12345678901234567890123", '{"z":[1]}', "true"],
  ]);
});

test("a key that first occurs far into the file is a column", async () => {
  const table = await read("late.jsonl", `${'{"a":1}\n'.repeat(50_000)}{"late":2}\n`);
  expect(table.names).toEqual(["a", "late"]);
  expect(table.rows.at(-1)).toEqual([null, "2"]);
  expect(table.rows).toHaveLength(50_001);
});

test("files may have different keys", async () => {
  folder.write("parts/1.ndjson", '{"a":1}\n');
  folder.write("parts/2.ndjson", "");
  folder.write("parts/3.ndjson", '{"b":2}\n');
  const table = await readTable({ inputs: [`${folder.path}/parts/*.ndjson`] });
  expect(table.rows).toEqual([
    ["1", null],
    [null, "2"],
  ]);
});

test("an array of objects and a packed file are read", async () => {
  expect((await read("array.json", ' [{"a":1},\n {"a":2}]')).rows).toEqual([["1"], ["2"]]);
  expect((await read("z.ndjson.gz", gzipSync('{"a":1}\n'))).rows).toEqual([["1"]]);
});

test("a packed file that is cut off is refused", async () => {
  const packed = gzipSync('{"a":1}\n'.repeat(5000));
  await expect(read("cut.ndjson.gz", packed.subarray(0, -4))).rejects.toThrow(
    /cut\.ndjson\.gz is cut off: its end is missing/,
  );
});

test("keys that differ in case are told apart, one at a time", async () => {
  const inputs = [folder.write("case.ndjson", '{"a":1,"A":2}\n')];
  expect((await readTable({ inputs }, { columns: ["A"] })).rows).toEqual([["2"]]);
  await expect(readTable({ inputs }, { columns: ["a", "A"] })).rejects.toThrow(
    /case\.ndjson has the keys "a" and "A", which differ only in case/,
  );
});

test.each([
  ["broken", '{"a":1}\n\n\n{"a":2\n{"a":3}\n', /broken\.ndjson, line 4 is not a JSON object/],
  ["array", '{"a":1}\n[1,2]\n', /array\.ndjson, line 2 is \[1,2\], and an object/],
  ["number", '\n{"a":1}\n7\n', /number\.ndjson, line 3 is 7, and an object/],
  ["two", '{"a":1} {"a":2}\n', /two\.ndjson, line 1 is not a JSON object: unexpected content/],
  ["latin", Buffer.from('{"a":"k\xe4"}\n', "latin1"), /latin\.ndjson, line 1 .*UTF-8/],
])("%s: an error names file and line", async (name, content, message) => {
  await expect(read(`${name}.ndjson`, content)).rejects.toThrow(message);
});
