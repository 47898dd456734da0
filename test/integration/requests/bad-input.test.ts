import { fileURLToPath } from "node:url";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { type PredictRequestSchema, ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";
import { PERSON } from "../../support/tables/example-rows.ts";

const server = await fileServer(fileURLToPath(new URL("../../../models", import.meta.url)));

type Request = MessageInitShape<typeof PredictRequestSchema>;
const iris = { modelName: "iris", features: [5.1, 3.5, 1.4, 0.2] };
const floats = (shape: bigint[], values: number[], name = "features", datatype = "FP32"): Request => ({
  modelName: "iris",
  inputs: [{ name, datatype, shape, contents: { fp32Contents: values } }],
});
const census = (row: object): Request => ({ modelName: "census", rows: [row as Record<string, string>] });
const { age: _age, ...withoutAge } = PERSON;

const CASES: [what: string, request: Request, code: Code, reason: string, field?: RegExp][] = [
  ["an unknown model", { ...iris, modelName: "irsi" }, Code.NotFound, "MODEL_NOT_FOUND"],
  ["an unknown version", { ...iris, modelVersion: "9" }, Code.NotFound, "MODEL_VERSION_NOT_FOUND"],
  ["no rows at all", { modelName: "iris" }, Code.InvalidArgument, "INVALID_REQUEST"],
  ["two forms of rows", { ...iris, rows: [{ a: 1 }] }, Code.InvalidArgument, "INVALID_REQUEST"],
  [
    "too few features",
    { ...iris, features: [1, 2, 3] },
    Code.InvalidArgument,
    "INVALID_REQUEST",
    /^features$/,
  ],
  [
    "too many features",
    { ...iris, features: [1, 2, 3, 4, 5] },
    Code.InvalidArgument,
    "INVALID_REQUEST",
    /^features$/,
  ],
  [
    "more features than any model takes",
    { ...iris, features: new Array(10_001).fill(1) },
    Code.InvalidArgument,
    "INVALID_REQUEST",
    /^features$/,
  ],
  [
    "infinity",
    { ...iris, features: [1, 2, 3, Infinity] },
    Code.InvalidArgument,
    "INVALID_REQUEST",
    /^features\[3\]$/,
  ],
  [
    "a wrong input name",
    floats([1n, 4n], [1, 2, 3, 4], "featurs"),
    Code.InvalidArgument,
    "INVALID_REQUEST",
    /^inputs/,
  ],
  [
    "a wrong datatype",
    floats([1n, 4n], [1, 2, 3, 4], "features", "INT64"),
    Code.InvalidArgument,
    "INVALID_REQUEST",
    /^inputs\[0\]/,
  ],
  [
    "no such datatype",
    floats([1n, 4n], [1, 2, 3, 4], "features", "FLOAT"),
    Code.InvalidArgument,
    "INVALID_REQUEST",
    /datatype$/,
  ],
  ["a wrong rank", floats([4n], [1, 2, 3, 4]), Code.InvalidArgument, "INVALID_REQUEST", /shape$/],
  ["a wrong width", floats([1n, 3n], [1, 2, 3]), Code.InvalidArgument, "INVALID_REQUEST", /shape/],
  ["a negative shape", floats([-1n, 4n], [1, 2, 3, 4]), Code.InvalidArgument, "INVALID_REQUEST", /shape/],
  [
    "fewer values than the shape says",
    floats([2n, 4n], [1, 2, 3, 4]),
    Code.InvalidArgument,
    "INVALID_REQUEST",
    /^inputs\[0\]/,
  ],
  [
    "a shape whose product is absurd",
    floats([9007199254740993n, 4n], [1]),
    Code.InvalidArgument,
    "INVALID_REQUEST",
    /^inputs\[0\]/,
  ],
  ["a missing column", census(withoutAge), Code.InvalidArgument, "INVALID_REQUEST", /age/],
  [
    "a surplus column",
    census({ ...PERSON, colour: "red" }),
    Code.InvalidArgument,
    "INVALID_REQUEST",
    /colour/,
  ],
  ["text for a number", census({ ...PERSON, age: "old" }), Code.InvalidArgument, "INVALID_REQUEST", /age/],
  ["a number for text", census({ ...PERSON, sex: 1 }), Code.InvalidArgument, "INVALID_REQUEST", /sex/],
  [
    "a fraction for an integer",
    census({ ...PERSON, age: 39.5 }),
    Code.InvalidArgument,
    "INVALID_REQUEST",
    /age/,
  ],
  ["null for an integer", census({ ...PERSON, age: null }), Code.InvalidArgument, "INVALID_REQUEST", /age/],
  ["a list in a cell", census({ ...PERSON, age: [1] }), Code.InvalidArgument, "INVALID_REQUEST", /age/],
  [
    "text with a NUL character",
    census({ ...PERSON, workclass: "State\0gov" }),
    Code.InvalidArgument,
    "INVALID_REQUEST",
    /workclass/,
  ],
  [
    "an unknown output",
    { ...iris, outputNames: ["scores"] },
    Code.InvalidArgument,
    "INVALID_REQUEST",
    /output_names/,
  ],
];

test.each(CASES)(
  "%s is refused alike in every protocol, and the next call works",
  async (_, request, code, reason, field) => {
    const { url } = server;
    const transports = [
      createGrpcTransport({ baseUrl: url }),
      createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" }),
      createConnectTransport({ baseUrl: url, httpVersion: "2" }),
      createConnectTransport({ baseUrl: url, httpVersion: "1.1", useBinaryFormat: false }),
    ];
    const refusals = await Promise.all(
      transports.map((transport) => refusal(createClient(ScoringService, transport).predict(request))),
    );
    for (const { error, violations, info } of refusals) {
      expect(error.code).toBe(code);
      expect(error.rawMessage).toBe(refusals[0]!.error.rawMessage);
      expect(error.rawMessage.length).toBeGreaterThan(10);
      expect(violations).toEqual(refusals[0]!.violations);
      expect(info).toMatchObject({ domain: "assay", reason });
    }
    if (field !== undefined) expect(refusals[0]!.violations[0]!.field).toMatch(field);
    const good = await createClient(ScoringService, transports[0]!).predict(iris);
    expect(good.labels).toEqual(["setosa"]);
  },
);

test.each(["[[1,2,3,4],[5,6]]", "[[1,2,3],[4,5,6,7,8]]", "[[1,2,3,4],5,6,7,8]", "[[[1],2,3,4],[5,6,7,8]]"])(
  "ragged rows in JSON are refused where they lie: %s",
  async (data) => {
    const response = await fetch(`${server.url}/predict/iris`, {
      method: "POST",
      body: `{"inputs":[{"name":"features","datatype":"FP32","shape":[2,4],"data":${data}}]}`,
    });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ detail: [{ loc: ["body", "inputs", 0, "data"] }] });
  },
);

async function refusal(work: Promise<unknown>) {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConnectError)) throw new Error(`not refused: ${String(error)}`);
  return {
    error,
    info: error.findDetails(ErrorInfoSchema)[0],
    violations:
      error
        .findDetails(BadRequestSchema)[0]
        ?.fieldViolations.map(({ field, reason }) => ({ field, reason })) ?? [],
  };
}
