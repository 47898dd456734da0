import { expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { ROOT } from "../server-process.ts";
import { tool } from "../tool.ts";

const TIMEOUT_MS = 280_000;

/**
 * A sixteenth of the cases and nine tenths of the suite's time: it compares the 200 KB of each such request octet by octet in one thread.
 * So they run in parts, two processes at once.
 */
const SIZES = "Server Message Size/**";
const sizesOf = (kind: string) => ["--run", SIZES.replace("**", `${kind}/**`)];

test.concurrent.each([
  { part: "sizes of gRPC", filters: sizesOf("HTTPVersion:2/Protocol:PROTOCOL_GRPC"), cases: 80 },
  { part: "all but sizes", filters: ["--skip", SIZES], cases: 4900 },
  // The reference: what TLS it speaks is Node's, and what a message may hold is decided above it.
  {
    part: "all but sizes and TLS, over node:http2",
    filters: ["--skip", SIZES, "--skip", "**/TLS:true/**"],
    engine: "node",
    cases: 2500,
  },
  { part: "sizes of HTTP/1.1", filters: sizesOf("HTTPVersion:1"), cases: 80 },
  {
    part: "sizes of gRPC-Web",
    filters: sizesOf("HTTPVersion:2/Protocol:PROTOCOL_GRPC_WEB"),
    cases: 70,
  },
  {
    part: "sizes of Connect over HTTP/2",
    filters: sizesOf("HTTPVersion:2/Protocol:PROTOCOL_CONNECT"),
    cases: 70,
  },
])(
  "connectconformance passes in server mode, known failures aside: $part",
  { timeout: 2 * TIMEOUT_MS },
  async ({ filters, engine, cases }) => {
    const result = await run(
      tool("connectconformance"),
      [
        ...["--mode", "server", "--conf", "test/conformance/suites/connect-conformance.yaml"],
        ...["--known-failing", "@test/conformance/suites/connect-conformance-known-failures.txt"],
        ...filters,
        "--",
        process.execPath,
        "test/conformance/suites/conformance-server.ts",
        `--http2-engine=${engine ?? "assay"}`,
      ],
      { cwd: ROOT, timeoutMs: TIMEOUT_MS },
    );
    const summary = result.stdout.slice(-4000) + result.stderr.slice(-4000);
    expect(Number(/Total cases: (\d+)/.exec(summary)?.[1]), summary).toBeGreaterThanOrEqual(cases);
    expect(summary).toMatch(/, 0 failed/);
    expect(result.status, summary).toBe(0);
  },
);
