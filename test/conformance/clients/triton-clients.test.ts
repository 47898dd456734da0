/** Triton's own programs, against a repository like the one of its quick start. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { buildModel, node, tensorInfo } from "../../support/models/model-builder.ts";
import { writeFiles } from "../../support/triton/triton-folder.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";

const PROGRAMS = join(ROOT, "test/conformance/python");
const EXAMPLES = 23;
const INT32 = 6n;
const STRING = 8n;
let server: ServerProcess;

beforeAll(async () => {
  const models = fileFolder();
  writeFiles(models, {
    ...folderOf("simple", "INT32", "TYPE_INT32"),
    ...folderOf("simple_int8", "INT8", "TYPE_INT8", INT32),
    ...folderOf("simple_string", "STRING", "TYPE_STRING", INT32),
  });
  server = await startServer(models, ["--server-name", "triton"]);
});

afterAll(async () => {
  if (server !== undefined) expect(await server.stop()).toBe(0);
});

/** Sum and difference of two rows of 16, reckoned in `inner` where the type of the inputs has no arithmetic. */
function folderOf(name: string, type: "INT32" | "INT8" | "STRING", dataType: string, inner?: bigint) {
  const [INPUT0, INPUT1] = inner === undefined ? ["INPUT0", "INPUT1"] : ["a", "b"];
  const [OUTPUT0, OUTPUT1] = inner === undefined ? ["OUTPUT0", "OUTPUT1"] : ["sum", "difference"];
  const outer = type === "STRING" ? STRING : 3n;
  const cast = (from: string, to: string, element: bigint) => node("Cast", [from], [to], { to: element });
  const bytes = buildModel({
    inputs: ["INPUT0", "INPUT1"].map((one) => tensorInfo(one, type, ["N", 16])),
    outputs: ["OUTPUT0", "OUTPUT1"].map((one) => tensorInfo(one, type, ["N", 16])),
    nodes: [
      ...(inner === undefined ? [] : [cast("INPUT0", INPUT0, inner), cast("INPUT1", INPUT1, inner)]),
      node("Add", [INPUT0, INPUT1], [OUTPUT0]),
      node("Sub", [INPUT0, INPUT1], [OUTPUT1]),
      ...(inner === undefined ? [] : [cast(OUTPUT0, "OUTPUT0", outer), cast(OUTPUT1, "OUTPUT1", outer)]),
    ],
  });
  const tensors = (role: string, names: readonly string[]) =>
    names.map((one) => `${role} { name: "${one}" data_type: ${dataType} dims: [ 16 ] }`).join("\n");
  const config = `platform: "onnxruntime_onnx"\nmax_batch_size: 8
    ${tensors("input", ["INPUT0", "INPUT1"])}\n${tensors("output", ["OUTPUT0", "OUTPUT1"])}`;
  return { [`${name}/1/model.onnx`]: bytes, [`${name}/config.pbtxt`]: config };
}

test("what the examples of tritonclient do works over gRPC and HTTP, or is refused in words", async () => {
  const args = [join(PROGRAMS, "triton_examples.py"), server.address];
  const { status, stdout, stderr } = await run(tool("python-inference"), args);
  expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  const told = JSON.parse(stdout) as Record<string, true | string>;
  expect(Object.entries(told).filter(([, answer]) => answer !== true)).toEqual([]);
  expect(Object.keys(told)).toHaveLength(EXAMPLES);
});

describe("perf_analyzer", () => {
  // However the machine is, two windows are enough: what is asked here is whether it measures.
  const enough = ["--measurement-interval", "300", "--stability-percentage", "999", "--max-trials", "4"];

  test.each([
    ["grpc", []],
    ["grpc", ["--streaming", "--async", "--concurrency-range", "4"]],
    ["grpc", ["-b", "8", "--grpc-compression-algorithm", "gzip"]],
    ["grpc", ["--request-rate-range", "50"]],
    ["http", ["-b", "8", "--async", "--concurrency-range", "4"]],
    ["http", ["--input-tensor-format", "json", "--output-tensor-format", "json"]],
  ])("measures over %s with %j, and reads the server's statistics", async (protocol, more) => {
    const flags = ["-m", "simple", "-u", server.address, "-i", protocol, ...enough, ...more];
    const { status, stdout } = await run(tool("perf-analyzer"), flags);
    expect(status, stdout).toBe(0);
    expect(stdout).toMatch(/Throughput: [1-9]\d*/);
    // Its streams have no figures of the server.
    if (!more.includes("--streaming")) expect(stdout).toMatch(/Execution count: [1-9]/);
  });

  test("shows the server's words for a model that there is not, and for shared memory", async () => {
    const analyze = (...flags: string[]) =>
      run(tool("perf-analyzer"), ["-u", server.address, "-i", "grpc", ...flags]);
    const unknown = await analyze("-m", "simpel");
    expect(unknown.stdout + unknown.stderr).toContain(`'simpel' is not found; did you mean "simple"?`);
    const shared = await analyze("-m", "simple", "--shared-memory", "system");
    expect(shared.stdout + shared.stderr).toContain("maps no memory of its clients");
  });
});

describe.each(["grpc", "grpcweb", "connect"])("buf curl by %s", (protocol) => {
  const input = (name: string) => ({
    name,
    datatype: "INT32",
    shape: [1, 16],
    contents: { intContents: Array.from({ length: 16 }, (_, index) => index) },
  });
  const request = { modelName: "simple", id: "7", inputs: [input("INPUT0"), input("INPUT1")] };

  test.each([
    ["ModelInfer", request],
    ["ModelStreamInfer", request],
    ["ModelMetadata", { name: "simple" }],
    ["RepositoryIndex", {}],
  ])("calls %s by reflection", async (method, message) => {
    const url = `http://${server.address}/inference.GRPCInferenceService/${method}`;
    const flags = [
      "curl",
      "--protocol",
      protocol,
      "--http2-prior-knowledge",
      "-d",
      JSON.stringify(message),
      url,
    ];
    const { status, stdout, stderr } = await run(join(ROOT, "node_modules/.bin/buf"), flags);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const answer = JSON.parse(stdout) as { inferResponse?: object };
    const expected = {
      ModelInfer: { id: "7", outputs: [{ contents: { intContents: expect.arrayContaining([30]) } }, {}] },
      ModelStreamInfer: { id: "7" },
      ModelMetadata: { name: "simple", platform: "onnxruntime_onnx" },
      RepositoryIndex: { models: expect.arrayContaining([{ name: "simple", version: "1", state: "READY" }]) },
    }[method];
    expect(answer.inferResponse ?? answer).toMatchObject(expected!);
  });
});
