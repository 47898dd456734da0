import fc from "fast-check";
import { expect, test } from "vitest";
import { createCsvScanner } from "../../../../src/table/read/csv-records.ts";

/** Counts record by record, without splitting or short cuts. */
function expected(text: string) {
  let quoted = false;
  let fieldStart = true;
  let closed = false;
  const seen = { records: 0, lines: 0, recordsEnd: 0 };
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === "\n") {
      seen.lines++;
      closed = false;
      if (!quoted) {
        seen.records++;
        seen.recordsEnd = at + 1;
        fieldStart = true;
      }
      continue;
    }
    if (quoted) {
      if (character === '"') {
        quoted = false;
        closed = true;
      }
    } else if (character === '"' && (fieldStart || closed)) {
      quoted = true;
      fieldStart = false;
      closed = false;
    } else {
      closed = false;
      fieldStart = character === "," || (fieldStart && character === " ");
    }
  }
  return seen;
}

test("a text cut anywhere is followed like the whole", () => {
  const character = fc.constantFrom('"', ",", "\n", "a", " ", "é");
  fc.assert(
    fc.property(
      fc.array(character, { maxLength: 40 }),
      fc.array(fc.nat(40), { maxLength: 4 }),
      (parts, cuts) => {
        const bytes = Buffer.from(parts.join(""));
        const scanner = createCsvScanner(",", '"');
        let from = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
          scanner.scan(bytes.subarray(from, cut));
          from = Math.max(from, Math.min(cut, bytes.length));
        }
        expect(scanner.seen).toEqual(expected(bytes.toString("latin1")));
      },
    ),
    { numRuns: 2000 },
  );
});

test("CRLF is one line end, also when it is cut in two", () => {
  const scanner = createCsvScanner(",", '"');
  for (const part of ["a,b\r", '\n1,"x\r', '\ny"\r\n2', ",3\r", "\n"]) scanner.scan(Buffer.from(part));
  expect(scanner.seen).toEqual({ records: 3, lines: 4, recordsEnd: 20 });
});

test("it stops after the record that was asked for", () => {
  const scanner = createCsvScanner(",", '"');
  scanner.scan(Buffer.from('a\n"1\n2"\n3\n4\n'), 2);
  expect(scanner.seen).toMatchObject({ records: 2, lines: 3 });
});
