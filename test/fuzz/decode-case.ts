/** Requests that are small on the wire and dear to a decoder that trusts them, in every form that the server reads. */
import { deflateSync, gzipSync } from "node:zlib";
import { delimited, framed, repeated, varint } from "../support/clients/wire-octets.ts";

export interface DecodeCase {
  readonly name: string;
  readonly isHttp2: boolean;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Octets or text of one PredictRequest, as it stands in a message. */
export interface Payload {
  readonly name: string;
  readonly isJson: boolean;
  readonly octets: Buffer;
}

const SCORING = "/assay.v1.ScoringService";
const MIB = 1_048_576;
const FULL = 16 * MIB - 200;
const none = Buffer.alloc(0);
const text = (value: string) => Buffer.from(value);
const fill = (octets: Buffer) => repeated(octets, Math.floor(FULL / octets.length));
const model = (name: string) => delimited(1, text(name));
const tensor = (contents: Buffer) =>
  delimited(5, Buffer.concat([delimited(1, text("x")), delimited(2, text("INT64")), delimited(4, contents)]));
const texts = (contents: Buffer, ...rest: Buffer[]) => {
  const shape = delimited(3, Buffer.concat([varint(1), varint(1_000_000)]));
  const own = contents === none ? none : delimited(4, contents);
  return Buffer.concat([
    model("echo_bytes"),
    delimited(5, Buffer.concat([delimited(1, text("x")), delimited(2, text("BYTES")), shape, own, ...rest])),
  ]);
};
const row = (entries: Buffer) => delimited(6, entries);
const entry = (key: string, value: Buffer) =>
  delimited(1, Buffer.concat([delimited(1, text(key)), delimited(2, value)]));
/** Numbers for columns of the wide model. */
const WIDE_COLUMNS = Array.from({ length: 500 }, (_, i) => `measured_value_${i}`);
const NUMBER = Buffer.concat([Buffer.of(0x11), Buffer.alloc(8)]);
const nested = (depth: number) => {
  let value: Buffer = Buffer.from([8, 0]);
  for (let i = 0; i < depth; i++) value = delimited(6, delimited(1, value));
  return value;
};

/** Protobuf that costs more than it weighs. */
export const BINARY_PAYLOADS: readonly Payload[] = (
  [
    ["empty inputs", () => fill(delimited(5, none))],
    ["empty rows", () => fill(delimited(6, none))],
    ["empty output names", () => fill(delimited(7, none))],
    ["axes", () => delimited(5, delimited(3, Buffer.alloc(FULL, 1)))],
    ["features", () => delimited(4, Buffer.alloc(FULL - (FULL % 4)))],
    ["unpacked features", () => fill(Buffer.from([0x25, 0, 0, 128, 63]))],
    ["short integers", () => tensor(delimited(3, Buffer.alloc(FULL, 5)))],
    ["long integers", () => tensor(delimited(3, fill(Buffer.from("ffffffffffffffff7f", "hex"))))],
    ["booleans", () => tensor(delimited(1, Buffer.alloc(FULL, 1)))],
    ["floats", () => tensor(delimited(6, Buffer.alloc(FULL - (FULL % 4), 1)))],
    ["empty texts", () => tensor(fill(delimited(8, none)))],
    ["texts that are no UTF-8", () => tensor(fill(delimited(8, Buffer.of(255))))],
    [
      "a million texts that are no UTF-8",
      () => texts(repeated(delimited(8, Buffer.of(0xc3, 255)), 1_000_000)),
    ],
    [
      "raw texts that are no UTF-8",
      () => texts(none, delimited(5, repeated(Buffer.of(2, 0, 0, 0, 0xc3, 255), 1_000_000))),
    ],
    ["entries of a row", () => row(fill(delimited(1, none)))],
    ["values of a list in a row", () => row(entry("a", delimited(6, fill(delimited(1, none)))))],
    ["a value said again and again", () => row(entry("a", fill(Buffer.from([0x20, 1]))))],
    ["deep values", () => row(entry("a", nested(3000)))],
    ["rows of one column", () => repeated(row(entry("age", Buffer.from([0x20, 1]))), 65_536)],
    [
      "rows of 500 columns",
      () =>
        Buffer.concat([
          model("wide"),
          repeated(row(Buffer.concat(WIDE_COLUMNS.map((name) => entry(name, NUMBER)))), 900),
        ]),
    ],
    ["rows of deep values", () => repeated(row(entry("a", nested(40))), 20_000)],
    [
      "unknown octets",
      () => Buffer.concat([delimited(4, Buffer.alloc(16)), delimited(999, Buffer.alloc(FULL - 100))]),
    ],
    ["unknown fields", () => fill(Buffer.from([0xf8, 0x01, 0]))],
    ["unknown groups", () => fill(Buffer.from([0xfb, 0x01, 0xfc, 0x01]))],
    ["a name again and again", () => fill(delimited(1, text("iris")))],
    ["no features again and again", () => fill(delimited(4, none))],
    ["raw contents again and again", () => delimited(5, fill(delimited(5, none)))],
    ["contents again and again", () => delimited(5, fill(delimited(4, none)))],
    ["a long name", () => model("a".repeat(FULL))],
    [
      "raw octets",
      () =>
        delimited(
          5,
          Buffer.concat([
            delimited(1, text("features")),
            delimited(2, text("FP32")),
            delimited(3, Buffer.concat([varint(1_000_000), varint(4)])),
            delimited(5, Buffer.alloc(16_000_000)),
          ]),
        ),
    ],
    ["zeros", () => Buffer.alloc(FULL)],
    ["a varint without an end", () => Buffer.alloc(FULL, 255)],
  ] as [string, () => Buffer][]
).map(([name, make]) => payload(name, false, make));

/** JSON that costs more than it weighs. */
export const JSON_PAYLOADS: readonly Payload[] = (
  [
    ["inputs that are numbers", () => `{"inputs":[${"0,".repeat(FULL / 2)}0]}`],
    ["empty inputs", () => `{"inputs":[${"{},".repeat(FULL / 3)}{}]}`],
    ["rows that are lists", () => `{"rows":[${"[],".repeat(FULL / 3)}[]]}`],
    ["empty output names", () => `{"features":[1],"output_names":[${'"",'.repeat(FULL / 3)}""]}`],
    ["axes", () => `{"inputs":[{"name":"x","shape":[${"1,".repeat(FULL / 2)}1]}]}`],
    ["features that are texts", () => `{"features":[${'"a",'.repeat(FULL / 4)}"a"]}`],
    ["features", () => `{"features":[${"1,".repeat(FULL / 2)}1]}`],
    [
      "short integers",
      () =>
        `{"inputs":[{"name":"x","datatype":"INT64","shape":[1],"contents":{"int64_contents":[${"1,".repeat(FULL / 2 - 200)}1]}}]}`,
    ],
    [
      "integers beyond 2^53",
      () =>
        `{"inputs":[{"name":"x","datatype":"INT64","shape":[1],"contents":{"int64_contents":[${"9007199254740993,".repeat(900_000)}1]}}]}`,
    ],
    ["deep lists", () => `{"features":${"[".repeat(FULL / 2)}${"]".repeat(FULL / 2)}}`],
    ["deep objects", () => `{"rows":[${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}]}`],
    ["a long number", () => `{"model_name":${"1".repeat(FULL - 100)}}`],
    ["a long exponent", () => `{"features":[1e${"9".repeat(FULL - 100)}]}`],
    ["a long text for a number", () => `{"features":["${"1".repeat(FULL - 100)}"]}`],
    ["a long unknown name", () => `{"${"a".repeat(FULL - 100)}":1}`],
    ["unknown members", () => `{${Array.from({ length: 900_000 }, (_, i) => `"m${i}":1`).join()}}`],
    [
      "unknown members of many tensors",
      () => `{"inputs":[${'{"abcdefgh":1,"ijklmnop":2,"qrstuvwx":3},'.repeat(2000)}{}]}`,
    ],
    ["escapes", () => `{"model_name":"${"\\u0041".repeat(2_700_000)}"}`],
    ["white space", () => `${" ".repeat(FULL - 100)}{}`],
    ["no end", () => `{"model_name":"${"a".repeat(FULL - 100)}`],
    ["rows of one column", () => `{"rows":[${'{"age":1},'.repeat(65_535)}{"age":1}]}`],
    [
      "rows of a model",
      () =>
        `{"model_name":"census","rows":[${`${JSON.stringify(CENSUS_ROW)},`.repeat(40_000)}${JSON.stringify(CENSUS_ROW)}]}`,
    ],
    [
      "rows of 500 columns",
      () =>
        `{"model_name":"wide","rows":[${new Array(1400).fill(`{${WIDE_COLUMNS.map((name) => `"${name}":1`).join()}}`).join()}]}`,
    ],
    [
      "unknown columns",
      () =>
        `{"model_name":"census","rows":[{${Array.from({ length: 16_000 }, (_, i) => `"column_${i}":1`).join()}}]}`,
    ],
    ["data", () => tensorJson("FP32", `[${"1.5,".repeat(FULL / 4 - 50)}1]`, FULL / 4 - 49)],
    [
      "data of texts with NUL",
      () => tensorJson("BYTES", `[${'"\\u0000",'.repeat(1_000_000)}"a"]`, 1_000_001),
    ],
    ["data of short integers", () => tensorJson("INT64", `[${"1,".repeat(FULL / 2 - 50)}1]`, FULL / 2 - 49)],
    [
      "data in rows",
      () => tensorJson("FP32", `[${"[1,2,3,4],".repeat(FULL / 10 - 10)}[1,2,3,4]]`, FULL / 10 - 9),
    ],
    ["data in empty rows", () => tensorJson("FP32", `[${"[],".repeat(FULL / 3 - 50)}[]]`, 1)],
    ["data of NaN", () => tensorJson("FP32", `[${"NaN,".repeat(FULL / 4 - 50)}NaN]`, FULL / 4 - 49)],
    ["data that is wrong", () => tensorJson("INT8", `[${"1.5,".repeat(FULL / 4 - 50)}1]`, FULL / 4 - 49)],
    ["data of flags", () => tensorJson("BOOL", `[${"true,".repeat(FULL / 5 - 50)}true]`, FULL / 5 - 49)],
    ["data of texts", () => tensorJson("BYTES", `[${'"a",'.repeat(FULL / 4 - 50)}"a"]`, FULL / 4 - 49)],
    ["data that ends late", () => tensorJson("FP32", `[${"1.5,".repeat(FULL / 4 - 50)}x]`, 1)],
    ["no JSON", () => "x".repeat(FULL)],
    ["octets in base64", () => `{"inputs":[{"name":"x","raw_contents":"${"A".repeat(FULL - 200)}"}]}`],
  ] as [string, () => string][]
).map(([name, make]) => payload(name, true, () => Buffer.from(make())));

function tensorJson(datatype: string, data: string, rows: number): string {
  return `{"inputs":[{"name":"features","datatype":"${datatype}","shape":[${Math.floor(rows)}],"data":${data}}]}`;
}

/** A legal row of the example model. */
export const CENSUS_ROW = {
  age: 39,
  workclass: "State-gov",
  fnlwgt: 77516,
  education: "Bachelors",
  "education-num": 13,
  "marital-status": "Never-married",
  occupation: "Adm-clerical",
  relationship: "Not-in-family",
  race: "White",
  sex: "Male",
  "capital-gain": 2174,
  "capital-loss": 0,
  "hours-per-week": 40,
  "native-country": "United-States",
};

/** Made when it is asked for: all of them together are gigabytes. */
function payload(name: string, isJson: boolean, make: () => Buffer): Payload {
  return {
    name,
    isJson,
    get octets() {
      return make();
    },
  };
}

type Form = (payload: Payload, octets: Buffer, zipped: Buffer) => DecodeCase | undefined;

const post = (
  name: string,
  isHttp2: boolean,
  path: string,
  headers: Record<string, string>,
  body: Buffer,
): DecodeCase => ({
  name,
  isHttp2,
  method: "POST",
  path,
  headers,
  body,
});

const suffix = (isJson: boolean) => (isJson ? "json" : "proto");
/** The request as the only item of a list or a stream. */
function item({ isJson }: Payload, octets: Buffer): Buffer {
  return isJson
    ? Buffer.concat([text('{"item_id":"7","request":'), octets, text("}")])
    : delimited(2, octets);
}
function items(one: Payload, octets: Buffer): Buffer {
  const inner = item(one, octets);
  return one.isJson ? Buffer.concat([text('{"items":['), inner, text("]}")]) : delimited(1, inner);
}

/** The ways in. */
export const FORMS: Readonly<Record<string, Form>> = {
  connect: ({ name, isJson }, _octets, zipped) =>
    post(
      `Connect ${name}`,
      false,
      `${SCORING}/Predict`,
      { "content-type": `application/${suffix(isJson)}`, "content-encoding": "gzip" },
      zipped,
    ),
  plain: ({ name, isJson }, _octets, zipped) =>
    isJson
      ? post(`/predict ${name}`, false, "/predict/iris", { "content-encoding": "gzip" }, zipped)
      : undefined,
  inference: ({ name, isJson }, octets) =>
    isJson
      ? post(`Open Inference ${name}`, false, "/v2/models/iris/infer", {}, octets)
      : post(
          `Open Inference raw ${name}`,
          false,
          "/v2/models/iris/infer",
          { "inference-header-content-length": "0", "content-encoding": "deflate" },
          deflateSync(octets),
        ),
  uncompressed: ({ name, isJson }, octets) =>
    post(
      `uncompressed ${name}`,
      true,
      `${SCORING}/Predict`,
      { "content-type": `application/${suffix(isJson)}` },
      octets,
    ),
  grpc: ({ name, isJson }, _octets, zipped) =>
    post(
      `gRPC ${name}`,
      true,
      `${SCORING}/Predict`,
      { "content-type": `application/grpc+${suffix(isJson)}`, "grpc-encoding": "gzip" },
      framed(1, zipped),
    ),
  web: ({ name, isJson }, _octets, zipped) =>
    post(
      `gRPC-Web text ${name}`,
      false,
      `${SCORING}/Predict`,
      { "content-type": `application/grpc-web-text+${suffix(isJson)}`, "grpc-encoding": "gzip" },
      text(framed(1, zipped).toString("base64")),
    ),
  stream: (one, octets) =>
    post(
      `gRPC stream ${one.name}`,
      true,
      `${SCORING}/PredictStream`,
      { "content-type": `application/grpc+${suffix(one.isJson)}`, "grpc-encoding": "gzip" },
      framed(1, gzipSync(item(one, octets))),
    ),
  rows: (one, octets) =>
    post(
      `Connect rows ${one.name}`,
      false,
      `${SCORING}/PredictRows`,
      { "content-type": `application/connect+${suffix(one.isJson)}`, "connect-content-encoding": "gzip" },
      framed(1, gzipSync(items(one, octets))),
    ),
  get: ({ name, isJson }, _octets, zipped) => {
    const message = zipped.toString("base64url");
    if (message.length > 15_000) return undefined;
    const path = `${SCORING}/Predict?connect=v1&encoding=${suffix(isJson)}&base64=1&compression=gzip&message=${message}`;
    return { name: `GET ${name}`, isHttp2: false, method: "GET", path, headers: {}, body: none };
  },
};

/** The case of a payload in a form; undefined where there is none. */
export function decodeCase(one: Payload, form: string): DecodeCase | undefined {
  const { octets } = one;
  return FORMS[form]!(one, octets, gzipSync(octets));
}
