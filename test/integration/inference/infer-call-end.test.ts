/** Unary calls of other servers' protocols end as all do: with their callers, and after a drain that waits for them. */
import { describe, expect, test } from "vitest";
import { ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { GRPCInferenceService } from "../../../gen/inference/grpc_service_pb.ts";
import type { Batcher } from "../../../src/batcher/batcher.ts";
import { rawConnection } from "../../support/clients/raw-connection.ts";
import { createServedModel } from "../../support/models/served-model.ts";
import { signature, spec } from "../../support/models/signatures.ts";
import { testedEdge } from "../../support/servers/tested-servers.ts";

const input = { name: "x", shape: [1, 1], datatype: "FP32" };
const json = (path: string, body: object) => ({ path, type: "application/json", body: JSON.stringify(body) });
/** Calls to the model whose runs do not end until they are released. */
const CALLS = [
  json("/v2/models/hang/infer", { inputs: [{ ...input, data: [1] }] }),
  json("/v1/models/hang:predict", { instances: [[1]] }),
  json(`/${GRPCInferenceService.typeName}/ModelInfer`, {
    model_name: "hang",
    inputs: [{ ...input, contents: { fp32_contents: [1] } }],
  }),
];

/** An edge whose fake model has a signature, by which the forms of rows are read. */
async function edgeWithModel() {
  const started = await testedEdge();
  const model = createServedModel({
    modelName: "hang",
    modelVersion: "1",
    signature: signature([spec("x", "FP32", [-1, 1])]),
    batcher: { maxQueueRows: 10 } as Batcher,
    state: () => ModelState.READY,
    changedFiles: () => [],
    describe: () => {
      throw new Error("nobody asks");
    },
  });
  started.scoring.resolve = () => model;
  return started;
}

async function send(port: number, { path, type, body }: (typeof CALLS)[number]) {
  const raw = await rawConnection(port);
  const head = `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}`;
  raw.write(`${head}\r\n\r\n${body}`);
  return raw;
}

describe.each(CALLS)("$path", (call) => {
  test("a caller that hangs up takes its rows back", async () => {
    const { port, scoring } = await edgeWithModel();
    const came = scoring.hangs();
    const cancelled = scoring.cancels();
    const raw = await send(port, call);
    await came;
    raw.socket.destroy();
    await cancelled;
    expect(scoring.hanging.size).toBe(0);
  });

  test("what runs while the server drains is answered, and its connection closed behind it", async () => {
    const { edge, port, scoring } = await edgeWithModel();
    const came = scoring.hangs();
    const raw = await send(port, call);
    await came;
    const drained = edge.drain(5000);
    scoring.release();
    expect(await drained).toBe(true);
    const text = (await raw.closed()).toString();
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(text.toLowerCase()).toContain("connection: close");
    await expect(rawConnection(port)).rejects.toThrow("ECONNREFUSED");
  });
});
