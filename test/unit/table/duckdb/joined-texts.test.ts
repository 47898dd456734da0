import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSource } from "../../../../src/table/read/open-source.ts";
import { fileFolder } from "../../../support/folders.ts";

const folder = fileFolder();
const rows = [
  { a: "0.1234567890123", b: "short", c: "y".repeat(64) },
  { a: "0.5", b: "ü".repeat(7), c: "y".repeat(65) },
  { a: "123456789012", b: "1234567890123", c: "" },
];
const middling = [
  `0.1234567890123\u001f\u001f${"y".repeat(64)}`,
  `\u001f${"ü".repeat(7)}\u001f`,
  "\u001f1234567890123\u001f",
];

test.each([
  ["csv", ["a,b,c", ...rows.map(({ a, b, c }) => `${a},${b},${c}`)], middling],
  // JSON text has its quotes, which make two bytes more.
  [
    "ndjson",
    rows.map((row) => JSON.stringify(row)),
    [
      '"0.1234567890123"\u001f\u001f',
      `\u001f"${"ü".repeat(7)}"\u001f`,
      '"123456789012"\u001f"1234567890123"\u001f',
    ],
  ],
] as const)(
  "middling texts of %s columns come joined beside the columns themselves",
  async (format, lines, expected) => {
    const path = join(folder, `rows.${format}`);
    writeFileSync(path, `${lines.join("\n")}\n`);
    const source = await openSource({ inputs: [path] });
    try {
      const requests = [
        { name: "b" },
        { name: "", joinedTexts: ["a", "b", "c"] },
        { name: "a" },
        { name: "c" },
      ];
      for (const fromRow of [0, 1]) {
        const read: unknown[] = [];
        for await (const { chunk } of source.read(requests, fromRow)) read.push(...chunk.getColumnValues(1));
        expect(read).toEqual(expected.slice(fromRow));
      }
    } finally {
      source.close();
    }
  },
);
