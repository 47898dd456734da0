import { expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { tool } from "../tool.ts";
import { startH2Server } from "./h2-server.ts";

test.each([
  ["in cleartext", false, []],
  ["over TLS", true, ["--tls", "--insecure"]],
])("every h2spec case passes %s, strict, none skipped", async (_, encrypted, flags) => {
  const server = await startH2Server(encrypted);
  const args = ["--strict", "--host", "127.0.0.1", "--port", String(server.port), "--timeout", "5", ...flags];
  const { stdout } = await run(tool("h2spec"), args);
  await server.stop();
  const [, total, passed, skipped, failed] = /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/
    .exec(stdout)!
    .map(Number);
  expect({ skipped, failed }, stdout).toEqual({ skipped: 0, failed: 0 });
  expect(total).toBeGreaterThanOrEqual(145);
  expect(passed).toBe(total);
  expect(server.errors).toEqual([]);
});

test("h2load's requests all succeed", async () => {
  const server = await startH2Server(false);
  const { stdout } = await run(tool("h2load"), [
    "-n",
    "5000",
    "-c",
    "4",
    "-m",
    "50",
    `http://127.0.0.1:${server.port}/`,
  ]);
  await server.stop();
  expect(stdout).toContain("5000 succeeded, 0 failed, 0 errored, 0 timeout");
});
