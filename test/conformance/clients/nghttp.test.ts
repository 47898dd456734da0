import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HTTP2_ENGINES } from "../../reference/http2-engines.ts";
import { run } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { expectGolden, goldenCases, goldenRequest } from "../../support/models/golden-rows.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";

const MODELS = join(ROOT, "models");
const PREDICT = "/assay.v1.ScoringService/Predict";
/** Fits the 24 KiB of fields that `--continuation` sends. */
const HEADER_LIST_BYTES = 32_768;
const cases = goldenCases(MODELS);

describe.each(HTTP2_ENGINES)("nghttp over h2c against the %s engine", (engine) => {
  let server: ServerProcess;
  const folder = fileFolder();

  beforeAll(async () => {
    server = await startServer(MODELS, ["--max-header-list-bytes", String(HEADER_LIST_BYTES)], engine);
  });

  afterAll(async () => {
    if (server !== undefined) expect(await server.stop()).toBe(0);
  });

  test("gets the golden rows of each model by Connect's JSON", async () => {
    for (const golden of cases) {
      const { status, body } = await post(JSON.stringify(goldenRequest(golden)));
      expect(status).toBe(200);
      expectGolden(JSON.parse(body), golden);
    }
  });

  test("gets the same answers with CONTINUATION frames and padding", async () => {
    for (const golden of cases) {
      const { status, body } = await post(JSON.stringify(goldenRequest(golden)), [
        "--continuation",
        "--padding=64",
      ]);
      expect(status).toBe(200);
      expectGolden(JSON.parse(body), golden);
    }
  });

  test("gets the same answers with a window of 255 bytes and a header table of none", async () => {
    for (const golden of cases) {
      const { status, body } = await post(JSON.stringify(goldenRequest(golden)), [
        "--window-bits=8",
        "--header-table-size=0",
      ]);
      expect(status).toBe(200);
      expectGolden(JSON.parse(body), golden);
    }
  });

  test("is answered 400 for a wrong row", async () => {
    const { status, body } = await post('{"modelName": "iris", "features": [5.1, 3.5, 1.4]}');
    expect(status).toBe(400);
    expect(JSON.parse(body)).toMatchObject({ code: "invalid_argument" });
  });

  test("finds the server alive", async () => {
    expect(await nghttp("/livez", [])).toMatchObject({ status: 200 });
  });

  function post(body: string, flags: readonly string[] = []) {
    const file = join(folder, "request.json");
    writeFileSync(file, body);
    return nghttp(PREDICT, [...flags, "--header=content-type: application/json", `--data=${file}`]);
  }

  /** One request of two runs: one prints its frames with their fields, the other the body alone. */
  async function nghttp(path: string, flags: readonly string[]) {
    const args = ["--timeout=30", ...flags, `http://${server.address}${path}`];
    const traced = await run(tool("nghttp"), ["--verbose", "--null-out", ...args]);
    const plain = await run(tool("nghttp"), args);
    for (const { status, stderr } of [traced, plain])
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const status = /recv \(stream_id=\d+\) :status: (\d+)/.exec(traced.stdout)?.[1];
    return { status: Number(status), body: plain.stdout };
  }
});
