import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Edge } from "../../../src/edge/edge.ts";
import { run } from "../../support/clients/command.ts";
import { type FakeScoring, startEdge } from "../../support/servers/fake-services.ts";
import { ROOT } from "../server-process.ts";
import { tool } from "../tool.ts";

const PREDICT = "/assay.v1.ScoringService/Predict";
const ATTEMPTS = 4;
const CLIENTS: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ["grpc-go", "go-client", []],
  ["grpc-java", "java-client", []],
  ["grpcio", "python-clients", [join(ROOT, "test/conformance/python/retry_client.py")]],
];

/** Calls model `modelName` with a client whose policy retries RESOURCE_EXHAUSTED and UNAVAILABLE; its last code. */
async function call(command: string, args: readonly string[], port: number, modelName: string) {
  const message = toBinary(PredictRequestSchema, create(PredictRequestSchema, { modelName, features: [1] }));
  const hex = Buffer.from(message).toString("hex");
  const result = await run(tool(command), [...args, `127.0.0.1:${port}`, PREDICT, hex]);
  expect(result).toMatchObject({ status: 0 });
  return Number(result.stdout);
}

describe.each(["assay", "node"] as const)("over the %s engine", (http2Engine) => {
  let edge: Edge;
  let port: number;
  let scoring: FakeScoring;
  beforeAll(async () => {
    ({ edge, port, scoring } = await startEdge({ http2Engine }));
  });
  afterAll(() => edge.close());

  describe.each(CLIENTS)("%s's retryPolicy", (_, command, args) => {
    test.each([
      ["a full queue", "full", 8, ATTEMPTS],
      ["a model that is not ready", "loading", 14, ATTEMPTS],
      ["a bad request", "invalid", 3, 1],
      ["an answer", "sum", 0, 1],
    ])("on %s makes the attempts that it should", async (_what, modelName, code, attempts) => {
      const before = scoring.calls.length;
      expect(await call(command, args, port, modelName)).toBe(code);
      expect(scoring.calls.length - before).toBe(attempts);
    });

    test("answers the caller once a full queue has room", async () => {
      const before = scoring.calls.length;
      scoring.fullFor = 2;
      expect(await call(command, args, port, "sum")).toBe(0);
      expect(scoring.calls.length - before).toBe(3);
    });
  });
});
