import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Finished, run } from "../../support/clients/command.ts";
import { expectGolden, goldenCases, goldenRequest, jsonMessages } from "../../support/models/golden-rows.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";

const MODELS = join(ROOT, "models");
const PREDICT = "assay.v1.ScoringService/Predict";
const cases = goldenCases(MODELS);
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(MODELS);
});

afterAll(async () => {
  if (server !== undefined) expect(await server.stop()).toBe(0);
});

describe("grpcurl", () => {
  test("lists the services by reflection", async () => {
    const { stdout } = await grpcurl(["list"]);
    expect(stdout.split("\n")).toEqual(
      expect.arrayContaining(["assay.v1.ModelService", "assay.v1.ScoringService", "grpc.health.v1.Health"]),
    );
  });

  test("describes a method and a message", async () => {
    const method = await grpcurl(["describe", "assay.v1.ScoringService.Predict"]);
    expect(method.stdout).toContain(
      "rpc Predict ( .assay.v1.PredictRequest ) returns ( .assay.v1.PredictResponse )",
    );
    const message = await grpcurl(["describe", "assay.v1.PredictRequest"]);
    expect(message.stdout).toContain("repeated float features = 4");
  });

  test("gets the golden rows of each model, one call a case", async () => {
    for (const golden of cases) {
      const { stdout, stderr } = await grpcurl(["-d", "@"], PREDICT, JSON.stringify(goldenRequest(golden)));
      expect(stderr).toBe("");
      expectGolden(JSON.parse(stdout), golden);
    }
  });

  test("gets all golden rows through one stream", async () => {
    const items = cases.map((golden, index) =>
      JSON.stringify({ itemId: index + 1, request: goldenRequest(golden) }),
    );
    const { stdout } = await grpcurl(["-d", "@"], "assay.v1.ScoringService/PredictStream", items.join("\n"));
    const answers = jsonMessages(stdout);
    expect(answers).toHaveLength(cases.length);
    for (const [index, golden] of cases.entries()) expectGolden(answers[index]?.response, golden);
  });

  test("shows the status, the field and the rule of a violation", async () => {
    const finished = await grpcurl(["-d", '{"modelName": "iris", "features": [5.1, 3.5]}'], PREDICT);
    // grpcurl ends with 64 plus the gRPC code: 3 is INVALID_ARGUMENT.
    expect(finished.status).toBe(67);
    expect(finished.stderr).toContain("Code: InvalidArgument");
    expect(finished.stderr).toContain("google.rpc.BadRequest");
    expect(finished.stderr).toContain('"field": "features"');
  });

  test("finds the server healthy", async () => {
    const { stdout } = await grpcurl([], "grpc.health.v1.Health/Check");
    expect(JSON.parse(stdout)).toEqual({ status: "SERVING" });
  });
});

/** Runs `grpcurl -plaintext FLAGS ADDRESS METHOD`; `list` and `describe SYMBOL` are given as flags and come last. */
function grpcurl(flags: readonly string[], method = "", input = ""): Promise<Finished> {
  const verb = flags[0] === "list" || flags[0] === "describe";
  const words = verb ? [server.address, ...flags] : [...flags, server.address, method];
  return run(tool("grpcurl"), ["-plaintext", ...words], { input });
}
