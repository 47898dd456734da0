import { expect, test } from "vitest";
import { createForwardedLog, jsonLine } from "../../../src/telemetry/log.ts";

test("a line has the level's name, an ISO time and the sentence", () => {
  const lines: string[] = [];
  createForwardedLog("info", { edge: 1 }, (line) => lines.push(line)).warn({ a: 1 }, "said");
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { level: "warn", time, edge: 1, a: 1, msg: "said" },
  ]);
  expect(JSON.parse(jsonLine("warn", { a: 1 }, "said"))).toEqual({ level: "warn", time, a: 1, msg: "said" });
});

test("of an error that is logged the values are masked, its kind and its places stay", () => {
  const lines: string[] = [];
  const log = createForwardedLog("info", {}, (line) => lines.push(line));
  log.error({ err: new SyntaxError(`Unexpected token 'p', "planted" is not valid JSON`) }, "a bug");
  log.error({ err: { toString: () => "4711" } }, "a bug");
  expect(lines.join("")).not.toMatch(/planted|4711/);
  expect(JSON.parse(lines[0]!).err).toMatchObject({
    type: "SyntaxError",
    message: "a text is not valid JSON",
    stack: expect.stringMatching(/log\.test\.ts:\d+/),
  });
});
