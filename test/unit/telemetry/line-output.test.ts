import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { limitHits } from "../../../src/limits.ts";
import { LineOutput } from "../../../src/telemetry/line-output.ts";
import { testFolder } from "../../support/folders.ts";

const LINE = `${"x".repeat(999)}\n`;
const tellDropped = (count: number, cause: string) => `dropped ${count} (${cause})\n`;
let folder: string;
let fifo: string;
let reader: number;
let writer: number;

beforeEach(() => {
  folder = testFolder();
  fifo = join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  writer = openSync(fifo, "w");
});

afterEach(() => {
  closeSync(writer);
  closeSync(reader);
});

/** Reads until there is nothing more for now. */
function readAll(): string {
  const parts: string[] = [];
  const bytes = Buffer.alloc(65536);
  for (;;) {
    try {
      const count = readSync(reader, bytes);
      if (count === 0) return parts.join("");
      parts.push(bytes.toString("latin1", 0, count));
    } catch {
      return parts.join("");
    }
  }
}

test("a pipe that nobody reads holds nothing up; what fits waits, the rest is counted, and the count is told", async () => {
  const output = new LineOutput(writer, { limitBytes: 10_000, tellDropped });
  const hits = limitHits()["log-bytes"];
  for (let i = 0; i < 1000; i++) output.write(LINE);
  const dropped = limitHits()["log-bytes"] - hits;
  let text = "";
  await expect
    .poll(() => {
      text += readAll();
      return text;
    })
    .toMatch(/dropped/);
  const lines = text.trimEnd().split("\n");
  const whole = lines.filter((line) => line.length === 999).length;
  expect(lines.at(-1)).toBe(`dropped ${1000 - whole} (slow reader)`);
  expect(dropped).toBe(1000 - whole);
  expect(lines).toHaveLength(whole + 1);
  output.write("next\n");
  expect(readAll()).toBe("next\n");
});

test("lines come in order through a reader that is slower than they are", async () => {
  const output = new LineOutput(writer);
  const sent = Array.from({ length: 500 }, (_, i) => `${i} ${"y".repeat(700)}\n`).join("");
  for (const line of sent.match(/.*\n/g)!) output.write(line);
  let text = "";
  await expect
    .poll(() => {
      text += readAll();
      return text.length;
    })
    .toBe(sent.length);
  expect(text).toBe(sent);
});

test("a reader that has gone costs lines and throws nothing", () => {
  const output = new LineOutput(writer, { tellDropped });
  closeSync(reader);
  for (let i = 0; i < 3; i++) output.write("lost\n");
  reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  output.write("kept\n");
  expect(readAll()).toBe("dropped 3 (EPIPE)\nkept\n");
});

test("the end waits for a reader for a bounded time only", () => {
  const output = new LineOutput(writer, { limitBytes: 100_000 });
  for (let i = 0; i < 100; i++) output.write(LINE);
  const before = performance.now();
  output.flush(50);
  expect(performance.now() - before).toBeGreaterThanOrEqual(50);
});

test("a file takes every line at once", () => {
  const name = join(folder, "log");
  const fd = openSync(name, "a");
  const output = new LineOutput(fd, { tellDropped });
  output.write("one\n");
  expect(readFileSync(name, "utf8")).toBe("one\n");
  closeSync(fd);
});
