import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HTTP2_ENGINES } from "../../reference/http2-engines.ts";
import { expectGolden, goldenCases, goldenRequest, type Json } from "../../support/models/golden-rows.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";
import { type LineClient, startLineClient } from "./line-client.ts";

const MODELS = join(ROOT, "models");
const cases = goldenCases(MODELS);
/** What a wrong `features` of iris is answered with. */
const SHORT = { modelName: "iris", features: [5.1, 3.5, 1.4] };

describe.each(HTTP2_ENGINES)("grpcio against the %s engine", (engine) => {
  let server: ServerProcess;
  let client: LineClient;

  beforeAll(async () => {
    server = await startServer(MODELS, [], engine);
    const program = join(ROOT, "test/conformance/python/grpcio_client.py");
    client = startLineClient(tool("python-clients"), [program, server.address, join(ROOT, "proto")]);
  });

  afterAll(async () => {
    await client?.close();
    if (server !== undefined) expect(await server.stop()).toBe(0);
  });

  for (const gzip of [false, true]) {
    for (const raw of [false, true]) {
      test(`gets the golden rows of each model with ${raw ? "raw" : "typed"} contents, ${gzip ? "gzip" : "identity"}`, async () => {
        for (const golden of cases) {
          const { response } = await client.call<Json>({
            call: "predict",
            request: goldenRequest(golden, raw),
            gzip,
          });
          expectGolden(response, golden);
        }
      });
    }
  }

  for (const call of ["predict_stream", "predict_rows"]) {
    test(`gets all golden rows in the order of the items through ${call}`, async () => {
      const requests = cases.map((golden, index) => ({
        itemId: String(index + 1),
        request: goldenRequest(golden),
      }));
      const { responses } = await client.call<{ responses: Json[] }>({ call, requests });
      expect(responses.map((response) => response.itemId)).toEqual(requests.map((item) => item.itemId));
      for (const [index, golden] of cases.entries()) expectGolden(responses[index]?.response, golden);
    });

    test(`is answered with a status for one bad item and goes on, through ${call}`, async () => {
      const good = goldenRequest(cases[0]!);
      const requests = [good, SHORT, good].map((request, index) => ({ itemId: String(index), request }));
      const { responses } = await client.call<{ responses: Json[] }>({ call, requests });
      expect(responses.map((response) => Object.keys(response).sort().at(-1))).toEqual([
        "response",
        "status",
        "response",
      ]);
      expect(responses[1]?.status).toMatchObject({ code: 3 });
    });
  }

  test("reads violations as google.rpc.BadRequest beside ErrorInfo", async () => {
    const answer = await client.call<{ code: string; details: Json[] }>({ call: "predict", request: SHORT });
    expect(answer.code).toBe("INVALID_ARGUMENT");
    const badRequest = answer.details.find((detail) =>
      String(detail["@type"]).endsWith("google.rpc.BadRequest"),
    );
    expect(badRequest?.fieldViolations).toEqual([expect.objectContaining({ field: "features" })]);
    const errorInfo = answer.details.find((detail) =>
      String(detail["@type"]).endsWith("google.rpc.ErrorInfo"),
    );
    expect(errorInfo).toMatchObject({ domain: "assay", metadata: { violation_count: "1" } });
  });

  test("is told NOT_FOUND for a model that is not there", async () => {
    const request = { modelName: "irsi", features: [1, 2, 3, 4] };
    expect(await client.call({ call: "predict", request })).toMatchObject({ code: "NOT_FOUND" });
  });

  test("gets a model's signature and an example request that works", async () => {
    const described = await client.call<{ response: { model: Json } }>({
      call: "get_model",
      request: { modelName: "census" },
    });
    const { model } = described.response;
    expect(model).toMatchObject({ state: "READY", labels: ["<=50K", ">50K"] });
    const scored = await client.call<{ response: Json }>({
      call: "predict",
      request: model.exampleRequest as Json,
    });
    expect(scored.response.scores).toEqual([expect.any(Number)]);
  });

  test("finds the server healthy, and a service that is not there unknown", async () => {
    const served = { call: "health", service: "assay.v1.ScoringService" };
    expect(await client.call({ call: "health", service: "" })).toEqual({ response: { status: "SERVING" } });
    expect(await client.call(served)).toEqual({ response: { status: "SERVING" } });
    expect(await client.call({ call: "health", service: "no.such.Service" })).toMatchObject({
      code: "NOT_FOUND",
    });
  });

  test("reads descriptors through reflection v1alpha", async () => {
    const { response } = await client.call<{ response: Json }>({
      call: "reflection",
      symbol: "assay.v1.ScoringService",
    });
    expect(response.file).toBe("assay/v1/scoring_service.proto");
    expect(response.services).toEqual(
      expect.arrayContaining(["assay.v1.ModelService", "assay.v1.ScoringService"]),
    );
  });
});
