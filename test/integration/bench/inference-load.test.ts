import { expect, test } from "vitest";
import { benchRun } from "../../support/load/bench-run.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const server = await fileServer("models");

test.each([
  ["inference", "iris"],
  ["inference", "census"],
  ["inference-rest", "iris"],
  ["inference-rest", "census"],
])(
  "%s calls %s with its example, whatever form that has, and checks the outputs",
  async (protocol, model) => {
    const report = await benchRun({ server: server.url, protocol, model, rows: "3" });
    expect(report).toMatchObject({ failed: 0, run: { model, protocol, rows_per_call: 3 } });
    expect(report.calls).toBeGreaterThan(0);
  },
);

test.each(["inference", "inference-rest"])(
  "%s tells in the server's words why calls fail",
  async (protocol) => {
    const inputs = [{ name: "x", datatype: "FP32", shape: [1, 1], contents: { fp32_contents: [1] } }];
    const report = await benchRun({ server: server.url, protocol }, { model_name: "irs", inputs });
    expect(report.errors[0]?.message).toContain("Request for unknown model: 'irs' is not found");
  },
);
