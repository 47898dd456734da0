import { afterEach, expect, test, vi } from "vitest";
import { runCommand } from "../../../src/cli/command.ts";

afterEach(() => vi.restoreAllMocks());

async function printed(...argv: string[]): Promise<string> {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  expect(await runCommand(argv)).toBe(0);
  const text = write.mock.calls.join("");
  write.mockRestore();
  return text;
}

test("a command's help is asked for in either order", async () => {
  expect(await printed("help", "score")).toBe(await printed("score", "--help"));
  expect(await printed("help", "bench")).toBe(await printed("bench", "-h"));
  expect(await printed("help")).toBe(await printed("--help"));
});

test("the columns of the flags' help are one below the other", async () => {
  const lines = (await printed("serve", "--help")).split("\n").filter((line) => /^ {2}(-\w, )?--/.test(line));
  expect(lines.length).toBeGreaterThan(30);
  for (const line of lines) expect(line.slice(36)).toMatch(/^ [^ ]/);
});

test("a request for assay bench that cannot be read is told, with exit code 2", async () => {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  expect(await runCommand(["bench", "--request", "no-such-file.json"])).toBe(2);
  expect(write.mock.calls.join("")).toMatch(
    /^assay bench: --request no-such-file\.json cannot be read: ENOENT/,
  );
});
