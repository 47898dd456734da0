import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HTTP2_ENGINES } from "../../reference/http2-engines.ts";
import { run } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { expectGolden, goldenCases, goldenRequest, goldenRows } from "../../support/models/golden-rows.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";

const MODELS = join(ROOT, "models");
const PREDICT = "/assay.v1.ScoringService/Predict";
const JSON_TYPE = ["--header", "Content-Type: application/json"];
const SHORT = JSON.stringify({ modelName: "iris", features: [5.1, 3.5, 1.4] });
const cases = goldenCases(MODELS);
const servers = new Map<string, ServerProcess>();
const folder = fileFolder();

beforeAll(async () => {
  for (const engine of HTTP2_ENGINES) servers.set(engine, await startServer(MODELS, [], engine));
});

afterAll(async () => {
  for (const server of servers.values()) expect(await server.stop()).toBe(0);
});

describe.each([
  { version: "HTTP/1.1", engine: "assay", flag: "--http1.1", spoken: "1.1" },
  ...HTTP2_ENGINES.map((engine) => ({
    version: "HTTP/2 with prior knowledge",
    engine,
    flag: "--http2-prior-knowledge",
    spoken: "2",
  })),
])("curl over $version against the $engine engine", ({ engine, flag, spoken }) => {
  test("gets the golden rows of each model by Connect's JSON", async () => {
    for (const golden of cases) {
      const answer = await post(PREDICT, JSON.stringify(goldenRequest(golden)));
      expect(answer).toMatchObject({ status: 200, version: spoken });
      expectGolden(JSON.parse(answer.body), golden);
    }
  });

  test("gets the golden rows of each model by GET", async () => {
    for (const golden of cases) {
      const message = JSON.stringify(goldenRequest(golden));
      const query = ["connect=v1", "encoding=json"].flatMap((pair) => ["--data", pair]);
      const answer = await curl(PREDICT, ["--get", ...query, "--data-urlencode", `message=${message}`]);
      expect(answer).toMatchObject({ status: 200, version: spoken });
      expectGolden(JSON.parse(answer.body), golden);
    }
  });

  test("scores the same rows by column name", async () => {
    for (const golden of cases.filter((one) => one.model === "census" || one.model === "housing")) {
      expectGolden(JSON.parse((await post(PREDICT, JSON.stringify(goldenRows(golden)))).body), golden);
    }
  });

  test("sends and takes gzip", async () => {
    const golden = cases.find((one) => one.model === "digits")!;
    writeFileSync(join(folder, "request.gz"), gzipSync(JSON.stringify(goldenRequest(golden))));
    const body = ["--header", "Content-Encoding: gzip", "--data-binary", `@${join(folder, "request.gz")}`];
    const answer = await curl(PREDICT, [...JSON_TYPE, ...body, "--compressed"]);
    expect(answer.status).toBe(200);
    expectGolden(JSON.parse(answer.body), golden);
  });

  test("is answered 400 with the field of a violation", async () => {
    const answer = await post(PREDICT, SHORT);
    const body = JSON.parse(answer.body);
    expect(answer.status).toBe(400);
    expect(body.code).toBe("invalid_argument");
    const badRequest = body.details.find(
      (detail: { type: string }) => detail.type === "google.rpc.BadRequest",
    );
    expect(badRequest.debug.fieldViolations).toEqual([expect.objectContaining({ field: "features" })]);
  });

  test("is answered 404 for a model that is not there", async () => {
    const answer = await post(PREDICT, JSON.stringify({ modelName: "irsi", features: [1, 2, 3, 4] }));
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body).message).toContain("irsi");
  });

  test("scores a row through POST /predict/{model}, and gets FastAPI's form for a wrong one", async () => {
    const scored = await post("/predict/iris", '{"features": [5.1, 3.5, 1.4, 0.2]}');
    expect(scored.status).toBe(200);
    expect(JSON.parse(scored.body).labels).toEqual(["setosa"]);
    const refused = await post("/predict/iris", SHORT);
    expect(refused.status).toBe(422);
    expect(JSON.parse(refused.body).detail[0]).toMatchObject({
      type: "too_short",
      loc: ["body", "features"],
    });
  });

  test("finds the server alive, ready and healthy", async () => {
    expect(await curl("/livez", [])).toMatchObject({ status: 200 });
    expect(await curl("/readyz", [])).toMatchObject({ status: 200 });
    expect(JSON.parse((await curl("/health", [])).body)).toEqual({ status: "ok" });
  });

  function post(path: string, body: string) {
    return curl(path, [...JSON_TYPE, "--data-binary", "@-"], body);
  }

  async function curl(path: string, args: readonly string[], input = "") {
    const output = join(folder, "body");
    const written = [
      "--silent",
      "--show-error",
      "--output",
      output,
      "--write-out",
      "%{http_code} %{http_version}",
    ];
    const url = `http://${servers.get(engine)!.address}${path}`;
    const finished = await run(tool("curl"), [flag, ...written, ...args, url], { input });
    if (finished.status !== 0) throw new Error(`curl ended with ${finished.status}: ${finished.stderr}`);
    const [status, version] = finished.stdout.split(" ");
    return { status: Number(status), version, body: readFileSync(output, "utf8") };
  }
});
