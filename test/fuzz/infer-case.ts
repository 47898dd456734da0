/** Requests of the Open Inference Protocol over gRPC and Connect that are small on the wire, or legal and large, and dear to whoever trusts them. */
import { gzipSync } from "node:zlib";
import { delimited, framed, repeated, varint } from "../support/clients/wire-octets.ts";
import type { DecodeCase, Payload } from "./decode-case.ts";

const SERVICE = "/inference.GRPCInferenceService";
const FULL = 16 * 1_048_576 - 300;
const none = Buffer.alloc(0);
const text = (value: string) => Buffer.from(value);
const fill = (octets: Buffer, room = FULL) => repeated(octets, Math.floor(room / octets.length));
const concat = (...parts: Buffer[]) => Buffer.concat(parts);
const named = (name: string) => delimited(1, text(name));
const axes = (...lengths: number[]) => delimited(3, concat(...lengths.map(varint)));
const parameter = (number: number, key: string, value: Buffer) =>
  delimited(number, concat(delimited(1, text(key)), delimited(2, value)));
const flag = Buffer.of(8, 1);
const many = (number: number, count: number) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => parameter(number, `p${i}`, flag)));
const mine = parameter(4, "mine", flag);
const input = (name: string, datatype: string, ...rest: Buffer[]) =>
  delimited(5, concat(delimited(1, text(name)), delimited(2, text(datatype)), ...rest));
const output = (name: string, ...parameters: Buffer[]) => delimited(6, concat(named(name), ...parameters));
const features = (rows: number, ...rest: Buffer[]) => input("features", "FP32", axes(rows, 4), ...rest);
const typed = (number: number, values: Buffer) => delimited(5, delimited(number, values));
const floats = (count: number) => repeated(Buffer.from([0, 0, 128, 63]), count);
const FLOATS = 4_000_000;
const WORD = delimited(8, text("Male-or-female"));
const RAW_WORD = concat(Buffer.of(4, 0, 0, 0), text("Male"));
const head = (datatype: string, count: number) =>
  concat(named("x"), delimited(2, text(datatype)), axes(1, count));
/** For models that return what they take. */
const echoed = (model: string, ...parts: Buffer[]) => concat(named(model), delimited(5, concat(...parts)));
const echo = (datatype: string, count: number, ...rest: Buffer[]) =>
  echoed(`echo_${datatype.toLowerCase()}`, head(datatype, count), ...rest);
const raw = (datatype: string, count: number, octets: Buffer) =>
  concat(echo(datatype, count), delimited(7, octets));
const classes = (count: number) => parameter(2, "classification", concat(Buffer.of(16), varint(count)));

/** Protobuf of ModelInferRequest. */
export const INFER_PAYLOADS: readonly Payload[] = (
  [
    ["empty inputs", () => fill(delimited(5, none))],
    [
      "empty inputs with as many raw contents",
      () => concat(fill(delimited(5, none), FULL / 2), fill(delimited(7, none), FULL / 2)),
    ],
    [
      "a thousand empty inputs",
      () => concat(named("iris"), repeated(delimited(5, none), 1024), repeated(delimited(7, none), 1024)),
    ],
    ["empty outputs", () => concat(named("iris"), fill(delimited(6, none)))],
    ["empty raw contents", () => concat(named("iris"), features(1), fill(delimited(7, none)))],
    ["empty parameters", () => fill(delimited(4, none))],
    ["parameters", () => concat(named("iris"), many(4, 300_000))],
    ["parameters of an input", () => input("x", "FP32", many(4, 300_000))],
    ["parameters of outputs", () => repeated(output("probabilities", many(2, 500)), 1000)],
    ["a reserved parameter with a long name", () => parameter(4, `triton_${"a".repeat(FULL - 100)}`, flag)],
    [
      "a parameter with a long text",
      () => parameter(4, "timeout", delimited(3, Buffer.alloc(FULL - 100, 97))),
    ],
    ["axes", () => input("x", "FP32", delimited(3, Buffer.alloc(FULL, 1)))],
    ["unpacked axes", () => input("x", "FP32", fill(Buffer.of(24, 1)))],
    ["typed floats", () => echo("FP32", FLOATS, typed(6, floats(FLOATS)))],
    [
      "typed floats before the head",
      () => echoed("echo_fp32", typed(6, floats(FLOATS)), head("FP32", FLOATS)),
    ],
    [
      "unpacked floats",
      () => echo("FP32", 3_000_000, delimited(5, repeated(Buffer.from([0x35, 0, 0, 128, 63]), 3_000_000))),
    ],
    [
      "floats of an unknown model",
      () => concat(named("irs"), delimited(5, concat(head("FP32", FLOATS), typed(6, floats(FLOATS))))),
    ],
    ["floats with parameters", () => concat(mine, echo("FP32", FLOATS, typed(6, floats(FLOATS)), mine))],
    [
      "floats in many rows",
      () => concat(named("echo_fp32"), input("x", "FP32", axes(4000, 1000), typed(6, floats(FLOATS)))),
    ],
    ["doubles for floats", () => echo("FP32", 2_000_000, typed(7, Buffer.alloc(16_000_000)))],
    ["doubles", () => echo("FP64", 2_000_000, typed(7, Buffer.alloc(16_000_000)))],
    ["short integers", () => echo("INT64", 16_000_000, typed(3, Buffer.alloc(16_000_000, 5)))],
    ["some short integers", () => echo("INT64", 4_000_000, typed(3, Buffer.alloc(4_000_000, 5)))],
    [
      "long integers",
      () => echo("INT64", 1_700_000, typed(3, repeated(Buffer.from("ffffffffffffffff7f", "hex"), 1_700_000))),
    ],
    ["integers", () => echo("INT32", 4_000_000, typed(2, repeated(Buffer.from("ff7f", "hex"), 4_000_000)))],
    ["booleans", () => echo("BOOL", 4_000_000, typed(1, Buffer.alloc(4_000_000, 1)))],
    ["empty texts", () => echo("BYTES", 3_000_000, delimited(5, repeated(delimited(8, none), 3_000_000)))],
    ["texts", () => echo("BYTES", 900_000, delimited(5, repeated(WORD, 900_000)))],
    [
      "texts with parameters",
      () => concat(mine, echo("BYTES", 900_000, mine, delimited(5, repeated(WORD, 900_000)))),
    ],
    [
      "texts before the head",
      () => echoed("echo_bytes", delimited(5, repeated(WORD, 900_000)), head("BYTES", 900_000)),
    ],
    [
      "texts that are no UTF-8",
      () => echo("BYTES", 5_000_000, delimited(5, fill(delimited(8, Buffer.of(255))))),
    ],
    [
      "contents of several types",
      () =>
        echo(
          "FP32",
          1,
          delimited(
            5,
            concat(
              delimited(6, floats(2_000_000)),
              delimited(3, Buffer.alloc(4_000_000, 5)),
              repeated(delimited(8, none), 1_000_000),
            ),
          ),
        ),
    ],
    ["contents again and again", () => delimited(5, fill(delimited(5, none)))],
    [
      "typed and raw floats",
      () =>
        concat(echo("FP32", 2_000_000, typed(6, floats(2_000_000))), delimited(7, Buffer.alloc(8_000_000))),
    ],
    ["raw floats", () => raw("FP32", FLOATS, Buffer.alloc(4 * FLOATS))],
    ["raw floats with parameters", () => concat(mine, raw("FP32", FLOATS, Buffer.alloc(4 * FLOATS)))],
    [
      "raw floats with an unknown field",
      () => concat(raw("FP32", FLOATS, Buffer.alloc(4 * FLOATS)), delimited(99, text("new"))),
    ],
    ["raw long integers", () => raw("INT64", 2_000_000, Buffer.alloc(16_000_000, 0x55))],
    ["raw empty texts", () => raw("BYTES", 3_000_000, Buffer.alloc(12_000_000))],
    ["raw texts", () => raw("BYTES", 1_700_000, repeated(RAW_WORD, 1_700_000))],
    ["raw texts with parameters", () => concat(mine, raw("BYTES", 1_700_000, repeated(RAW_WORD, 1_700_000)))],
    [
      "raw texts that are no UTF-8",
      () => concat(mine, raw("BYTES", 3_000_000, repeated(Buffer.of(1, 0, 0, 0, 255), 3_000_000))),
    ],
    [
      "raw texts that are cut",
      () =>
        concat(mine, raw("BYTES", 3_000_000, repeated(Buffer.of(1, 0, 0, 0, 97), 3_000_000).subarray(0, -1))),
    ],
    [
      "a raw text of many octets",
      () => raw("BYTES", 1, concat(Buffer.from("0024f400", "hex"), Buffer.alloc(16_000_000, 97))),
    ],
    [
      "a thousand inputs",
      () =>
        concat(
          named("echo_many"),
          ...Array.from({ length: 1000 }, (_, i) =>
            input(`x${i}`, "FP32", axes(1, 2000), typed(6, floats(2000))),
          ),
        ),
    ],
    [
      "a thousand raw inputs",
      () =>
        concat(
          named("echo_many"),
          ...Array.from({ length: 1000 }, (_, i) => input(`x${i}`, "FP32", axes(1, 4000))),
          repeated(delimited(7, floats(4000)), 1000),
        ),
    ],
    [
      "one class of many",
      () => concat(raw("FP32", FLOATS, Buffer.alloc(4 * FLOATS)), output("y", classes(1))),
    ],
    [
      "a hundred classes of many",
      () => concat(raw("FP32", FLOATS, Buffer.alloc(4 * FLOATS)), output("y", classes(100))),
    ],
    [
      "as many classes as values",
      () => concat(raw("FP32", 1_000_000, Buffer.alloc(4_000_000)), output("y", classes(1_000_000))),
    ],
    [
      "classes of many rows",
      () =>
        concat(
          named("echo_fp32"),
          input("x", "FP32", axes(8000, 500)),
          output("y", classes(5)),
          delimited(7, Buffer.alloc(16_000_000)),
        ),
    ],
    [
      "8,192 rows with their classes",
      () =>
        concat(
          named("iris"),
          features(8192),
          output("probabilities", classes(3)),
          delimited(7, Buffer.alloc(16 * 8192)),
        ),
    ],
    ["unknown octets", () => concat(named("iris"), delimited(999, Buffer.alloc(FULL - 100)))],
    ["unknown fields", () => fill(Buffer.from([0xf8, 0x01, 0]))],
    ["unknown groups", () => fill(Buffer.from([0xfb, 0x01, 0xfc, 0x01]))],
    ["a name again and again", () => fill(named("iris"))],
    ["a long name", () => delimited(1, Buffer.alloc(FULL, 97))],
    ["a long version", () => concat(named("iris"), delimited(2, Buffer.alloc(FULL, 49)))],
    [
      "a long id",
      () =>
        concat(
          named("iris"),
          delimited(3, Buffer.alloc(FULL, 97)),
          features(1),
          delimited(7, Buffer.alloc(16)),
        ),
    ],
    ["an input with a long name", () => concat(named("iris"), input("a".repeat(FULL), "FP32"))],
    ["a long datatype", () => concat(named("iris"), input("features", "a".repeat(FULL), axes(1, 4)))],
    [
      "an output with a long name",
      () =>
        concat(
          named("iris"),
          features(1),
          delimited(6, delimited(1, Buffer.alloc(FULL, 97))),
          delimited(7, Buffer.alloc(16)),
        ),
    ],
    ["zeros", () => Buffer.alloc(FULL)],
    ["a varint without an end", () => Buffer.alloc(FULL, 255)],
  ] as [string, () => Buffer][]
).map(([name, make]) => payload(name, false, make));

/** The same as protobuf's JSON. */
export const INFER_JSON_PAYLOADS: readonly Payload[] = (
  [
    ["empty inputs", () => `{"inputs":[${"{},".repeat(FULL / 3)}{}]}`],
    ["empty outputs", () => `{"modelName":"iris","outputs":[${"{},".repeat(FULL / 3)}{}]}`],
    ["empty raw contents", () => `{"modelName":"iris","rawInputContents":[${'"",'.repeat(FULL / 3)}""]}`],
    [
      "parameters",
      () =>
        `{"parameters":{${Array.from({ length: 500_000 }, (_, i) => `"p${i}":{"boolParam":true}`).join()}}}`,
    ],
    ["typed floats", () => floatsJson(2_000_000)],
    [
      "texts",
      () =>
        `{"modelName":"echo_bytes","inputs":[{"name":"x","datatype":"BYTES","shape":[1,1000000],"contents":{"bytesContents":[${'"TWFsZQ==",'.repeat(999_999)}"TWFsZQ=="]}}]}`,
    ],
    [
      "raw floats",
      () =>
        `{"modelName":"echo_fp32","inputs":[{"name":"x","datatype":"FP32","shape":[1,3000000]}],"rawInputContents":["${"AAAA".repeat(4_000_000)}"]}`,
    ],
    [
      "raw texts",
      () =>
        `{"modelName":"echo_bytes","inputs":[{"name":"x","datatype":"BYTES","shape":[1,3000000]}],"rawInputContents":["${"AAAA".repeat(4_000_000)}"]}`,
    ],
  ] as [string, () => string][]
).map(([name, make]) => payload(name, true, () => Buffer.from(make())));

function floatsJson(count: number): string {
  return `{"modelName":"echo_fp32","inputs":[{"name":"x","datatype":"FP32","shape":[1,${count}],"contents":{"fp32Contents":[${"1.5,".repeat(count - 1)}1.5]}}]}`;
}

function payload(name: string, isJson: boolean, make: () => Buffer): Payload {
  return {
    name: `ModelInfer: ${name}`,
    isJson,
    get octets() {
      return make();
    },
  };
}

type InferForm = (payload: Payload, octets: Buffer) => DecodeCase;

function form(
  title: string,
  method: string,
  type: string,
  encode: (octets: Buffer) => Buffer,
  encoding?: string,
): InferForm {
  return ({ name, isJson }, octets) => ({
    name: `${title} ${name}`,
    isHttp2: true,
    method: "POST",
    path: `${SERVICE}/${method}`,
    headers: {
      "content-type": `application/${type}${isJson ? "json" : "proto"}`,
      ...(encoding === undefined ? {} : { [encoding]: "gzip" }),
    },
    body: encode(octets),
  });
}

const zippedFrame = (octets: Buffer) => framed(1, gzipSync(octets));
const frame = (octets: Buffer) => framed(0, octets);

/** The ways in. */
export const INFER_FORMS: Readonly<Record<string, InferForm>> = {
  grpc: form("gRPC", "ModelInfer", "grpc+", frame),
  zipped: form("gRPC gzip", "ModelInfer", "grpc+", zippedFrame, "grpc-encoding"),
  stream: form("gRPC stream", "ModelStreamInfer", "grpc+", frame),
  zippedStream: form("gRPC gzip stream", "ModelStreamInfer", "grpc+", zippedFrame, "grpc-encoding"),
  connect: form("Connect", "ModelInfer", "", gzipSync, "content-encoding"),
  connectStream: form(
    "Connect stream",
    "ModelStreamInfer",
    "connect+",
    zippedFrame,
    "connect-content-encoding",
  ),
};

/** Every payload in every form: its name, and what makes its case. */
export const INFER_CASES: readonly (readonly [name: string, make: () => DecodeCase])[] = [
  ...INFER_PAYLOADS,
  ...INFER_JSON_PAYLOADS,
].flatMap((one) =>
  Object.entries(INFER_FORMS).map(
    ([name, made]) => [`${name} ${one.name}`, () => made(one, one.octets)] as const,
  ),
);
