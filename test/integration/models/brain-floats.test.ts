import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { numberToBfloat } from "../../../src/tensor/float-bits.ts";
import { fileFolder } from "../../support/folders.ts";
import { buildModel, node, tensorInfo } from "../../support/models/model-builder.ts";
import { fromMessage, toMessage } from "../../support/models/tensor-messages.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

/** y = 2x in float32, between casts, as exporters of mixed precision write it; `same` passes x through. */
const doubling = buildModel({
  inputs: [tensorInfo("x", "BFLOAT16", [null, 2])],
  outputs: [tensorInfo("y", "BFLOAT16", [null, 2]), tensorInfo("same", "BFLOAT16", [null, 2])],
  nodes: [
    node("Cast", ["x"], ["wide"], { to: 1n }),
    node("Add", ["wide", "wide"], ["sum"]),
    node("Cast", ["sum"], ["y"], { to: 16n }),
    node("Identity", ["x"], ["same"]),
  ],
});

const column = buildModel({
  inputs: [tensorInfo("x", "BFLOAT16", [null, 1])],
  outputs: [tensorInfo("y", "BFLOAT16", [null, 1])],
  nodes: [
    node("Cast", ["x"], ["wide"], { to: 1n }),
    node("Neg", ["wide"], ["minus"]),
    node("Cast", ["minus"], ["y"], { to: 16n }),
  ],
});

/** What the CPU has no implementation for. */
const softmax = buildModel({
  inputs: [tensorInfo("x", "BFLOAT16", [null, 2])],
  outputs: [tensorInfo("y", "BFLOAT16", [null, 2])],
  nodes: [node("Softmax", ["x"], ["y"])],
});

const root = fileFolder();

for (const [name, bytes] of Object.entries({ doubling, column, softmax })) {
  mkdirSync(join(root, name, "1"), { recursive: true });
  writeFileSync(join(root, name, "1/model.onnx"), bytes);
}
const server = await fileServer(root);
const baseUrl = server.url;
const clients = [
  createClient(ScoringService, createGrpcTransport({ baseUrl })),
  createClient(
    ScoringService,
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
  ),
];

const bits = (...values: number[]) => Uint16Array.from(values, numberToBfloat);

test("BF16 goes in and comes out bit for bit, over gRPC and as JSON, alone and in company", async () => {
  const data = bits(1.5, -0, 3.3e38, 2 ** -133);
  const x = toMessage({ name: "x", datatype: "BF16", shape: [2, 2], data });
  const calls = clients.flatMap((client) =>
    [1, 2, 3].map(() => client.predict({ modelName: "doubling", inputs: [x], outputNames: ["y", "same"] })),
  );
  for (const { outputs } of await Promise.all(calls)) {
    expect(outputs.map(fromMessage)).toEqual([
      { name: "y", datatype: "BF16", shape: [2, 2], data: bits(3, -0, Number.POSITIVE_INFINITY, 2 ** -132) },
      { name: "same", datatype: "BF16", shape: [2, 2], data },
    ]);
  }
});

test("rows of numbers are rounded to BF16, and scores of BF16 are numbers", async () => {
  const request = { model_name: "column", rows: [{ x: 1.004 }, { x: -2 }, { x: null }], output_names: ["y"] };
  const response = await fetch(`${server.url}/predict`, { method: "POST", body: JSON.stringify(request) });
  const raw_contents = Buffer.from(bits(-1.0078125, 2, Number.NaN).buffer).toString("base64");
  expect(await response.json()).toMatchObject({
    scores: [-1.0078125, 2, "NaN"],
    outputs: [{ name: "y", datatype: "BF16", shape: ["3", "1"], raw_contents }],
  });
});

test.each([
  [{ data: [1, 2] }, /BF16 values come only as raw_contents/],
  [{ contents: { fp32_contents: [1, 2] } }, /BF16 values come only as raw_contents/],
  [{ raw_contents: Buffer.from([0, 0, 0]).toString("base64") }, /3 bytes came; BF16\[1,2\] takes 4/],
  [{ raw_contents: Buffer.from([0x80, 0x7f, 0, 0]).toString("base64") }, /Infinity came; a finite number/],
])("%j is refused by name", async (values, message) => {
  const inputs = [{ name: "x", datatype: "BF16", shape: [1, 2], ...values }];
  const body = JSON.stringify({ model_name: "doubling", inputs });
  const response = await fetch(`${server.url}/predict`, { method: "POST", body });
  expect(response.status).toBe(422);
  expect(await response.text()).toMatch(message);
});

test("operators that the device has no BF16 for are named, and do not stop the other models", () => {
  const models = new Map(server.app.models().map((model) => [model.modelName, model]));
  expect(models.get("doubling")?.state).toBe(ModelState.READY);
  expect(models.get("softmax")?.state).toBe(ModelState.FAILED);
  expect(models.get("softmax")?.stateReason).toMatch(/ReduceMax.*bfloat16.*float32/);
});
