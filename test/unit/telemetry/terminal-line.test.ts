import { expect, test } from "vitest";
import { terminalLine } from "../../../src/telemetry/terminal-line.ts";

const time = "2026-01-02T03:04:05.678Z";
const line = (record: object) => JSON.stringify({ level: "info", time, ...record });

test("a line has the time of day, the level, the sentence and the fields", () => {
  const shown = terminalLine(line({ host: "::1", port: 80, why: "two words", msg: "listening" }), false);
  expect(shown).toMatch(/^\d\d:\d\d:05\.678 INFO {2}listening host=::1 port=80 why="two words"\n$/);
});

test("with colours the level has one, and every colour ends", () => {
  const shown = terminalLine(line({ level: "error", a: 1, msg: "m" }), true);
  expect(shown).toContain("\u001b[31mERROR\u001b[0m");
  const ends = shown.split("\u001b[0m").length - 1;
  expect(shown.split("\u001b[").length - 1).toBe(2 * ends);
});

test("whatever comes is one line without a control that a terminal obeys", () => {
  const evil = 'a\n\r\u001b[2J\u0007\u009b31m\u202e\u2028"\\';
  for (const record of [{ msg: evil }, { msg: "m", field: evil }, { msg: "m", [evil]: { deep: evil } }]) {
    const shown = terminalLine(line(record), false);
    expect(shown.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    expect(shown.endsWith("\n")).toBe(true);
  }
  expect(terminalLine(`no JSON ${evil}\n`, false).slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test("of an error the stack is shown in its line", () => {
  const err = { type: "Error", message: "broken", stack: "Error: broken\n    at f (a.ts:1:2)" };
  expect(terminalLine(line({ err, msg: "m" }), false)).toContain('err="Error: broken | at f (a.ts:1:2)"');
});
