import { expect, test } from "vitest";
import { counted } from "../../../src/wording/counted.ts";

test("one of a thing has no s, and thousands are grouped", () => {
  expect([0, 1, 2, 1_234_567].map((count) => counted(count, "row"))).toEqual([
    "0 rows",
    "1 row",
    "2 rows",
    "1,234,567 rows",
  ]);
});
