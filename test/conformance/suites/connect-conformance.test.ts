import { expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { ROOT } from "../server-process.ts";
import { tool } from "../tool.ts";

const TIMEOUT_MS = 280_000;

test.each([
  { engine: "assay", skipped: [] },
  // The reference: what TLS it speaks is Node's.
  { engine: "node", skipped: ["--skip", "**/TLS:true/**"] },
])(
  "connectconformance passes in server mode on the $engine engine, known failures aside",
  {
    timeout: TIMEOUT_MS,
  },
  async ({ engine, skipped }) => {
    const result = await run(
      tool("connectconformance"),
      [
        ...["--mode", "server", "--conf", "test/conformance/suites/connect-conformance.yaml"],
        ...["--known-failing", "@test/conformance/suites/connect-conformance-known-failures.txt"],
        ...skipped,
        ...[
          "--",
          process.execPath,
          "test/conformance/suites/conformance-server.ts",
          `--http2-engine=${engine}`,
        ],
      ],
      { cwd: ROOT, timeoutMs: TIMEOUT_MS },
    );
    const summary = result.stdout.slice(-4000) + result.stderr.slice(-4000);
    expect(summary).toMatch(/Total cases: [1-9]\d{3}/);
    expect(summary).toMatch(/, 0 failed/);
    expect(result.status).toBe(0);
  },
);
