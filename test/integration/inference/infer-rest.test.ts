import { fileURLToPath } from "node:url";
import { deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { UnaryPeer } from "../../support/clients/unary-exchange.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const server = await fileServer(fileURLToPath(new URL("../../../models", import.meta.url)));
const peer = new UnaryPeer(Number(new URL(server.url).port));
afterAll(() => peer.close());

const INFER = "/v2/models/iris/infer";
const ROWS = [
  [5.1, 3.5, 1.4, 0.2],
  [6.3, 3.3, 6.0, 2.5],
];
const FLOATS = Buffer.from(Float32Array.from(ROWS.flat()).buffer);
const features = { name: "features", datatype: "FP32", shape: [2, 4] };
const asJson = { ...features, data: ROWS };
const asBinary = { ...features, parameters: { binary_data_size: FLOATS.length } };
const JSON_BODY = { inputs: [asJson] };

interface Sent {
  readonly path?: string;
  readonly version?: 1 | 2;
  readonly binary?: Uint8Array;
  readonly headers?: Record<string, string>;
  readonly encode?: (body: Uint8Array) => Uint8Array;
}

/** Sends a body, with binary data behind it where there is any. */
async function infer(body: unknown, { path = INFER, version = 1, binary, headers, encode }: Sent = {}) {
  const json = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const whole = binary === undefined ? json : Buffer.concat([json, binary]);
  const length = binary === undefined ? {} : { "inference-header-content-length": String(json.length) };
  const sent = encode === undefined ? whole : encode(whole);
  const answer = await peer.exchange({
    version,
    path,
    headers: { "content-length": String(sent.length), ...length, ...headers },
    body: sent,
    cuts: [],
  });
  return { status: answer.status, headers: answer.headers, body: answer.body };
}

type Answer = Awaited<ReturnType<typeof infer>>;

const jsonOf = ({ body }: Answer) => JSON.parse(body.toString()) as Record<string, unknown>;
const errorOf = (answer: Answer) => `${answer.status} ${String(jsonOf(answer).error)}`;

/** The JSON of an answer and what stands behind it. */
function parts({ headers, body }: Answer) {
  const length = Number(headers["inference-header-content-length"] ?? body.length);
  const json = JSON.parse(body.subarray(0, length).toString()) as {
    outputs: { name: string; shape: number[]; parameters?: { binary_data_size: number }; data?: unknown[] }[];
  };
  let at = length;
  const values: Record<string, unknown> = {};
  for (const { name, data, parameters } of json.outputs) {
    const size = parameters?.binary_data_size ?? 0;
    const octets = body.subarray(at, at + size);
    at += size;
    values[name] =
      data ?? (name === "label" ? textsOf(octets) : [...new Float32Array(new Uint8Array(octets).buffer)]);
  }
  expect(at).toBe(body.length);
  return { json, values };
}

function textsOf(octets: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < octets.length; at += 4 + octets.readUInt32LE(at)) {
    texts.push(octets.toString("utf8", at + 4, at + 4 + octets.readUInt32LE(at)));
  }
  return texts;
}

const UNKNOWN = /^404 Request for unknown model: 'irsi' is not found; did you mean "iris"\?/;

const expected = parts(await infer(JSON_BODY)).values;

describe.each([1, 2] as const)("over HTTP/%i", (version) => {
  test("JSON is answered with JSON", async () => {
    const answer = await infer({ id: "é7", ...JSON_BODY }, { version });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json");
    const body = jsonOf(answer);
    expect(body).toMatchObject({ id: "é7", model_name: "iris", model_version: "1" });
    expect(body.outputs).toEqual([
      { name: "label", datatype: "BYTES", shape: [2], data: ["setosa", "virginica"] },
      { name: "probabilities", datatype: "FP32", shape: [2, 3], data: expected.probabilities },
    ]);
  });

  test.each(["JSON", "binary"])("%s comes in, and goes out in each form that is asked for", async (form) => {
    const sent = form === "JSON" ? { inputs: [asJson] } : { inputs: [asBinary] };
    const binary = form === "JSON" ? undefined : FLOATS;
    for (const isBinary of [true, false]) {
      const answer = await infer(
        { ...sent, parameters: { binary_data_output: isBinary } },
        { version, ...(binary && { binary }) },
      );
      expect(parts(answer).values).toEqual(expected);
      expect(answer.headers["content-type"]).toBe(isBinary ? "application/octet-stream" : "application/json");
      const outputs = [{ name: "probabilities", parameters: { binary_data: isBinary } }, { name: "label" }];
      const mixed = parts(await infer({ ...sent, outputs }, { version, ...(binary && { binary }) }));
      expect(mixed.values).toEqual(expected);
      expect(mixed.json.outputs.map(({ name }) => name)).toEqual(["probabilities", "label"]);
    }
  });

  test.each([
    ["gzip", gzipSync, gunzipSync],
    ["deflate", deflateSync, inflateSync],
    ["deflate", deflateRawSync, inflateSync],
  ] as const)("%s bodies are taken and answered", async (coding, encode, decode) => {
    const many = { ...features, shape: [100, 4], parameters: { binary_data_size: 1600 } };
    const binary = Buffer.from(new Float32Array(400).fill(1).buffer);
    const headers = { "content-encoding": coding, "accept-encoding": `${coding};q=1.0, identity;q=0` };
    const answer = await infer(
      { inputs: [many], parameters: { binary_data_output: true } },
      { version, binary, headers, encode },
    );
    expect(answer.headers).toMatchObject({ "content-encoding": coding, vary: "accept-encoding" });
    const plain = await infer(
      { inputs: [many], parameters: { binary_data_output: true } },
      { version, binary },
    );
    expect(plain.headers).toMatchObject({ vary: "accept-encoding" });
    expect(plain.headers["content-encoding"]).toBeUndefined();
    const { values } = parts({ ...answer, body: decode(answer.body) });
    expect(values.label).toHaveLength(100);
  });

  test("a raw binary request is one row, answered in binary", async () => {
    const answer = await infer("", { version, binary: FLOATS.subarray(0, 16) });
    const { json, values } = parts(answer);
    expect(json.outputs.map(({ shape }) => shape)).toEqual([[1], [1, 3]]);
    expect(values.label).toEqual(["setosa"]);
    expect(json.outputs.every(({ data }) => data === undefined)).toBe(true);
  });

  test("a wrong raw binary request is told what is taken", async () => {
    expect(errorOf(await infer("", { version, binary: new Uint8Array(20) }))).toContain(
      '400 body: 20 bytes came, which are not one row of input "features", FP32[-1,4]. This model takes, for example: {',
    );
    expect(
      errorOf(await infer("", { version, binary: new Uint8Array(20), path: "/v2/models/census/infer" })),
    ).toMatch(/^400 body: model "census" has \d+ inputs; a raw binary request takes a model with one\. /);
  });

  test.each(["x", "-1", "1.5", "9999999", ""])(
    "Inference-Header-Content-Length: %s is refused",
    async (length) => {
      const answer = await infer(JSON_BODY, {
        version,
        headers: { "inference-header-content-length": length },
      });
      expect(errorOf(answer)).toMatch(
        /^400 Inference-Header-Content-Length: ".*" came; a whole number from 0 to \d+, the/,
      );
    },
  );
});

test("a version is part of the path, and a query is ignored", async () => {
  expect((await infer(JSON_BODY, { path: "/v2/models/iris/versions/1/infer?x=1" })).status).toBe(200);
  const answer = await infer(JSON_BODY, { path: "/v2/models/iris/versions/9/infer" });
  expect(errorOf(answer)).toMatch(/^404 Request for unknown model: 'iris' version 9 is not found/);
});

test.each([
  [INFER, '{"inputs":[{"name":"features","datatype":"FP32","shape":[1,4],"data":[5.1,3.5,1.4,0.2]}]}'],
  ["/v2/models/census/infer", '{"inputs":[{"name":"age","datatype":"INT64","shape":[1,1],"data":[39]},'],
])("a body of the wrong form is told one that %s takes", async (path, example) => {
  const told = errorOf(await infer({ inputs: [] }, { path }));
  expect(told).toMatch(
    /^400 inputs: 0 came; a list of 1 to 1024 tensors is expected\. This model takes, for example: /,
  );
  expect(told).toContain(example);
  const line = told.slice(told.indexOf("{"));
  // One that is cut is no JSON.
  if (!line.includes("…")) expect((await infer(line, { path })).status).toBe(200);
  expect(errorOf(await infer({ inputs: [] }, { path: "/v2/models/irs/infer" }))).not.toContain("for example");
});

test.each([
  [
    "an unknown model",
    JSON_BODY,
    "/v2/models/irsi/infer",
    /^404 Request for unknown model: .*did you mean "iris"/,
  ],
  ["no JSON", "{", INFER, /^400 body: JSON decode error at character 1/],
  ["no body", "", INFER, /^400 body: JSON decode error .*nothing came/],
  [
    "another shape",
    { inputs: [{ ...asJson, shape: [4, 2], data: ROWS.flat() }] },
    INFER,
    /^400 inputs\[0\]\.shape: \[4,2\] came/,
  ],
  [
    "another datatype",
    { inputs: [{ ...asJson, datatype: "FP64" }] },
    INFER,
    /^400 inputs\[0\]\.datatype: FP64 came/,
  ],
  ["no inputs for a model that there is not", { inputs: [] }, "/v2/models/irsi/infer", UNKNOWN],
  ["no JSON for a model that there is not", "{", "/v2/models/irsi/infer", UNKNOWN],
  [
    "a datatype that is none for a model that there is not",
    { inputs: [{ ...asJson, datatype: "FLOAT" }] },
    "/v2/models/irsi/infer",
    UNKNOWN,
  ],
  [
    "no inputs for a version that there is not",
    { inputs: [] },
    "/v2/models/iris/versions/9/infer",
    /^404 Request for unknown model: 'iris' version 9 is not found/,
  ],
  [
    "a datatype that is none",
    { inputs: [{ ...asJson, datatype: "FLOAT" }] },
    INFER,
    /^400 inputs\[0\]\.datatype: /,
  ],
  [
    "another input",
    { inputs: [{ ...asJson, name: "x" }] },
    INFER,
    /inputs\[0\]\.name: the model has no input "x"/,
  ],
  [
    "another output",
    { ...JSON_BODY, outputs: [{ name: "x" }] },
    INFER,
    /^400 outputs\[0\]\.name: the model has no output "x"/,
  ],
  [
    "too few values",
    { inputs: [{ ...asJson, data: [1] }] },
    INFER,
    /^400 inputs\[0\]\.data: 1 values came; shape \[2,4\] takes 8/,
  ],
  [
    "a value too large",
    { inputs: [{ ...asJson, data: [1, 2, 3, 4, 5, 6, 7, 1e39] }] },
    INFER,
    /^400 inputs\[0\]\.data\[1\]\[3\]: 1e\+39 came/,
  ],
  ["a long id", { ...JSON_BODY, id: "x".repeat(300) }, INFER, /^400 id: /],
])("%s is answered with an error in words", async (_, body, path, error) => {
  expect(errorOf(await infer(body, { path }))).toMatch(error);
});

test("binary data that does not fit the shape is told", async () => {
  const short = { ...features, parameters: { binary_data_size: 28 } };
  expect(errorOf(await infer({ inputs: [short] }, { binary: FLOATS.subarray(0, 28) }))).toMatch(
    /^400 inputs\[0\]\.data: 28 bytes came; FP32\[2,4\] takes 32/,
  );
});

test("a coding that is not taken is 415, with those that are", async () => {
  const answer = await infer(JSON_BODY, { headers: { "content-encoding": "zstd" } });
  expect(answer.status).toBe(415);
  expect(answer.headers["accept-encoding"]).toBe("gzip, deflate, br");
});

test("classes come in the place of values, as JSON and in binary", async () => {
  const classes = [
    ["0.984703:0:setosa", "0.015297:1:versicolor"],
    ["0.993782:2:virginica", "0.006203:1:versicolor"],
  ].flat();
  for (const isBinary of [false, true]) {
    const parameters = { classification: 2, binary_data: isBinary };
    const answer = await infer({ ...JSON_BODY, outputs: [{ name: "probabilities", parameters }] });
    const length = Number(answer.headers["inference-header-content-length"] ?? answer.body.length);
    const { outputs } = JSON.parse(answer.body.subarray(0, length).toString()) as {
      outputs: [{ data?: string[] }];
    };
    expect(outputs[0]).toMatchObject({ name: "probabilities", datatype: "BYTES", shape: [2, 2] });
    expect(isBinary ? textsOf(answer.body.subarray(length)) : outputs[0].data).toEqual(classes);
  }
  const outputs = [{ name: "label", parameters: { classification: 1 } }];
  expect(errorOf(await infer({ ...JSON_BODY, outputs }))).toMatch(/^400 output "label" holds texts/);
});

test("a timeout that passes is 504", async () => {
  const answer = await infer({ ...JSON_BODY, parameters: { timeout: 1 } });
  expect(errorOf(answer)).toMatch(/^504 Request timeout expired: /);
});

test("large arrays come in and go out in every form", async () => {
  const count = 8000;
  const rows = Array.from({ length: count }, (_, i) => ROWS[i % 2]!);
  const floats = Buffer.from(Float32Array.from(rows.flat()).buffer);
  const shape = [count, 4];
  const binaryInput = { ...features, shape, parameters: { binary_data_size: floats.length } };
  for (const isBinary of [false, true]) {
    const parameters = { binary_data_output: isBinary };
    for (const answer of [
      await infer({ parameters, inputs: [{ ...features, shape, data: rows }] }),
      await infer({ parameters, inputs: [{ ...features, shape, data: rows.flat() }] }),
      await infer({ parameters, inputs: [binaryInput] }, { binary: floats }),
    ]) {
      expect(answer.status).toBe(200);
      const { values } = parts(answer);
      expect((values.label as string[]).length).toBe(count);
      expect((values.probabilities as number[]).slice(0, 6)).toEqual(expected.probabilities);
      expect((values.probabilities as number[]).slice(-6)).toEqual(expected.probabilities);
    }
  }
});
