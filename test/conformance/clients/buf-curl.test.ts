import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HTTP2_ENGINES } from "../../reference/http2-engines.ts";
import { run } from "../../support/clients/command.ts";
import { expectGolden, goldenCases, goldenRequest, jsonMessages } from "../../support/models/golden-rows.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";

const MODELS = join(ROOT, "models");
const cases = goldenCases(MODELS);
const servers = new Map<string, ServerProcess>();
const HTTP_2 = HTTP2_ENGINES.map((engine) => ({
  http: "HTTP/2",
  engine,
  flags: ["--http2-prior-knowledge"],
}));
const HTTP_1 = { http: "HTTP/1.1", engine: "assay", flags: [] };

beforeAll(async () => {
  for (const engine of HTTP2_ENGINES) servers.set(engine, await startServer(MODELS, [], engine));
});

afterAll(async () => {
  for (const server of servers.values()) expect(await server.stop()).toBe(0);
});

describe.each([
  ...HTTP_2.map((how) => ({ protocol: "grpc", ...how })),
  ...["grpcweb", "connect"].flatMap((protocol) => [...HTTP_2, HTTP_1].map((how) => ({ protocol, ...how }))),
])("buf curl by $protocol over $http against the $engine engine", ({ protocol, engine, flags }) => {
  test("gets the golden rows of each model", async () => {
    for (const golden of cases) {
      const finished = await call("Predict", JSON.stringify(goldenRequest(golden)));
      expect(finished.stderr).toBe("");
      expectGolden(JSON.parse(finished.stdout), golden);
    }
  });

  test("gets all golden rows as a server stream", async () => {
    const items = cases.map((golden, index) => ({ itemId: index + 1, request: goldenRequest(golden) }));
    const finished = await call("PredictRows", JSON.stringify({ items }));
    const answers = jsonMessages(finished.stdout);
    expect(answers).toHaveLength(cases.length);
    for (const [index, golden] of cases.entries()) expectGolden(answers[index]?.response, golden);
  });

  test("is told what is wrong with a request", async () => {
    const finished = await call("Predict", '{"modelName": "iris", "features": [5.1]}');
    expect(finished.status).not.toBe(0);
    expect(JSON.parse(finished.stderr)).toMatchObject({ code: "invalid_argument" });
  });

  function call(method: string, input: string) {
    const url = `http://${servers.get(engine)!.address}/assay.v1.ScoringService/${method}`;
    const args = [
      "curl",
      "--protocol",
      protocol,
      "--schema",
      join(ROOT, "proto"),
      ...flags,
      "--data",
      "@-",
      url,
    ];
    return run(join(ROOT, "node_modules/.bin/buf"), args, { input });
  }
});
