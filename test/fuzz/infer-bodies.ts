/** Bodies of `/predict` and of Open Inference REST that are dear to a reader which trusts them, or long and legal. */
import {
  CENSUS,
  DEEP,
  each,
  type ForeignBodyCase,
  FULL,
  LONG_TEXT,
  list,
  listOf,
  object,
  QUEUE,
  ROWS,
  WIDE_ROW,
} from "./body-text.ts";
import { MANY_INPUTS } from "./fuzz-models.ts";

/** All of them. */
export const PREDICT: ForeignBodyCase[] = (
  [
    ["a bare row", "census", () => object(each(16_000, (i) => `"column_${i}":1`))],
    [
      "a bare row of lists",
      "census",
      () => object(each(16_000, (i) => `"column_${i}":${listOf("[1]", 20).replace(/^/, "[")}]`)),
    ],
    ["a bare row of a long name", "census", () => `{"${LONG_TEXT}":1}`],
    [
      "a bare row of big numbers",
      "wide",
      () => object(each(16_000, (i) => `"measured_value_${i}":9007199254740993`)),
    ],
    ["rows", "census", () => `{"rows":[${listOf(CENSUS, QUEUE)}]}`],
    ["most rows", "census", () => `{"rows":[${listOf(CENSUS)}]}`],
    ["rows of 500 columns", "wide", () => `{"rows":[${listOf(WIDE_ROW)}]}`],
    ["rows with names of their own", "census", () => `{"rows":[${each(ROWS, (i) => `{"n${i}":${i}}`)}]}`],
    ["rows of deep values", "census", () => `{"rows":[${listOf(`{"age":${DEEP}}`, ROWS)}]}`],
    ["a matrix", "iris", () => `{"features":[${listOf("[1,2,3,4]")}]}`],
    [
      "a matrix for a queue",
      "floats",
      () => `{"features":[${listOf(list(listOf("1", 1000)), QUEUE)}],"output_names":["*"]}`,
    ],
    ["a matrix of one row", "floats", () => `{"features":[[${listOf("1")}]]}`],
    ["a matrix of empty rows", "iris", () => `{"features":[${listOf("[]")}]}`],
    ["a matrix of texts", "iris", () => `{"features":[[1],${listOf('"a"')}]}`],
    [
      "data of texts",
      "texts",
      () =>
        `{"inputs":[{"name":"x","datatype":"BYTES","shape":[${QUEUE},500],"data":[${listOf('"a"', QUEUE * 500)}]}],"output_names":["*"]}`,
    ],
    [
      "data of numbers",
      "floats",
      () =>
        `{"inputs":[{"name":"x","datatype":"FP32","shape":[${QUEUE},900],"data":[${listOf("1", QUEUE * 900)}]}],"output_names":["*"]}`,
    ],
  ] as [string, string, () => string][]
).map(([name, model, make]) => ({ name: `/predict: ${name}`, path: `/predict/${model}`, make }));

const input = (datatype: string, shape: string, data: string) =>
  `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[${shape}],"data":${data}}]}`;

/** All of them. */
export const INFER: ForeignBodyCase[] = (
  [
    ["numbers", "floats", () => input("FP32", "8192,900", list(listOf("1", 8192 * 900)))],
    [
      "numbers in rows",
      "floats",
      () => input("FP32", "8192,900", list(listOf(list(listOf("1", 900)), 8192))),
    ],
    ["fractions", "floats", () => input("FP32", "8192,100", list(listOf("0.12345678901234567", 819_200)))],
    ["numbers in short rows", "floats", () => input("FP32", "65536,1", list(listOf("[1]", ROWS)))],
    [
      "numbers in lists of one",
      "cubes",
      () => input("FP32", "4096,500,1", list(listOf(list(listOf("[1]", 500)), 4096))),
    ],
    [
      "uneven lists",
      "floats",
      () => input("FP32", "8192,500", list(`[1],${listOf(list(listOf("1", 1000)), 8000)}`)),
    ],
    ["lists of nothing", "floats", () => input("FP32", "8192,0", list(listOf("[]")))],
    ["numbers spaced out", "floats", () => input("FP32", "1,1", `[${"1 , ".repeat(4_000_000)}1]`)],
    ["one number in spaces", "floats", () => input("FP32", "1,1", `[${" ".repeat(FULL - 400)}1]`)],
    ["one row of a list in spaces", "floats", () => input("FP32", "1,1", `[[1,2${" ".repeat(FULL - 400)}]]`)],
    ["NaN", "floats", () => input("FP32", "8192,500", list(listOf("NaN", 4_096_000)))],
    ["nulls", "floats", () => input("FP32", "8192,400", list(listOf("null", 3_276_800)))],
    [
      "numbers that end in a text",
      "floats",
      () => input("FP32", "8192,900", list(`${listOf("1", 8192 * 900)},"a"`)),
    ],
    [
      "numbers and a text in turn",
      "floats",
      () => input("FP32", "8192,400", list(listOf('1,"a"', 2_000_000))),
    ],
    ["numbers that end without an end", "floats", () => input("FP32", "1", `[${listOf("1")}`)],
    ["lists of one number and a text", "floats", () => `{"inputs":[${listOf('{"data":[1,"a"]}', 1024)}]}`],
    ["integers", "longs", () => input("INT64", "8192,900", list(listOf("1", 8192 * 900)))],
    [
      "integers beyond 2^53",
      "longs",
      () => input("INT64", "8192,100", list(listOf("9007199254740993", 819_200))),
    ],
    ["fractions for integers", "longs", () => input("INT64", "8192,500", list(listOf("1.5", 4_096_000)))],
    ["texts", "texts", () => input("BYTES", "8192,500", list(listOf('"a"', 4_096_000)))],
    [
      "texts in rows",
      "texts",
      () => input("BYTES", "8192,490", list(listOf(list(listOf('"a"', 490)), 8192))),
    ],
    ["texts with escapes", "texts", () => input("BYTES", "8192,200", list(listOf('"\\u0041"', 1_638_400)))],
    ["texts with NUL", "texts", () => input("BYTES", "8192,200", list(listOf('"\\u0000"', 1_638_400)))],
    ["a long text", "texts", () => input("BYTES", "1,1", `["${LONG_TEXT}"]`)],
    ["numbers for texts", "texts", () => input("BYTES", "8192,900", list(listOf("1", 8192 * 900)))],
    ["flags for numbers", "floats", () => input("FP32", "8192,300", list(listOf("true", 2_457_600)))],
    ["a shape of many axes", "floats", () => input("FP32", listOf("1"), "[1]")],
    [
      "many inputs",
      "many",
      () =>
        `{"inputs":[${each(1024, (i) => `{"name":"in${i}","datatype":"FP32","shape":[1,4000],"data":[${listOf("1", 4000)}]}`)}]}`,
    ],
    [
      "inputs of all names",
      "many",
      () =>
        `{"inputs":[${each(MANY_INPUTS, (i) => `{"name":"in${i}","datatype":"FP32","shape":[2000,10],"data":[${listOf("1", 20_000)}]}`)}]}`,
    ],
    ["too many inputs", "floats", () => `{"inputs":[${listOf("{}")}]}`],
    ["too many outputs", "floats", () => `{"outputs":[${listOf("{}")}],"inputs":[]}`],
    [
      "outputs again and again",
      "floats",
      () =>
        `{"outputs":[${listOf('{"name":"y"}', 1024)}],"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[1]}]}`,
    ],
    ["parameters", "floats", () => `{"parameters":${object(each(16_000, (i) => `"p${i}":1`))},"inputs":[]}`],
    [
      "parameters of inputs",
      "floats",
      () => `{"inputs":[${listOf(`{"parameters":${object(each(1000, (i) => `"p${i}":1`))}}`, 1000)}]}`,
    ],
    [
      "classes",
      "floats",
      () =>
        `{"outputs":[{"name":"y","parameters":{"classification":5}}],"inputs":[{"name":"x","datatype":"FP32","shape":[${QUEUE},900],"data":[${listOf("1", QUEUE * 900)}]}]}`,
    ],
  ] as [string, string, () => string][]
).map(([name, model, make]) => ({ name: `infer: ${name}`, path: `/v2/models/${model}/infer`, make }));

/** JSON, and the octets that it tells of behind it. */
function withBinary(datatype: string, shape: string, binary: Buffer, isBinary = true): Buffer {
  const json = `{"parameters":{"binary_data_output":${isBinary}},"inputs":[{"name":"x","datatype":"${datatype}","shape":[${shape}],"parameters":{"binary_data_size":${binary.length}}}]}`;
  return Buffer.concat([Buffer.from(json.padEnd(JSON_OCTETS)), binary]);
}
const JSON_OCTETS = 200;

function texts(text: string, count: number): Buffer {
  const one = Buffer.alloc(4 + text.length);
  one.writeUInt32LE(text.length, 0);
  one.write(text, 4);
  return Buffer.alloc(count * one.length, one);
}

/** All of them. */
export const BINARY: ForeignBodyCase[] = (
  [
    ["floats", "floats", () => withBinary("FP32", "8000,500", Buffer.alloc(16_000_000, 1))],
    [
      "floats, answered in JSON",
      "floats",
      () => withBinary("FP32", "8000,500", Buffer.alloc(16_000_000, 61), false),
    ],
    ["NaN", "floats", () => withBinary("FP32", "8000,500", Buffer.alloc(16_000_000, 255))],
    [
      "integers, answered in JSON",
      "longs",
      () => withBinary("INT64", "8000,250", Buffer.alloc(16_000_000, 1), false),
    ],
    ["texts", "texts", () => withBinary("BYTES", "8000,400", texts("a", 3_200_000))],
    ["empty texts", "texts", () => withBinary("BYTES", "8000,500", texts("", 4_000_000))],
    ["texts, answered in JSON", "texts", () => withBinary("BYTES", "8000,400", texts("a", 3_200_000), false)],
    [
      "texts that are no UTF-8",
      "texts",
      () => withBinary("BYTES", "8000,400", Buffer.alloc(16_000_000, Buffer.of(1, 0, 0, 0, 255))),
    ],
    ["one long text", "texts", () => withBinary("BYTES", "1,1", texts("a".repeat(16_000_000), 1))],
    ["less than told", "floats", () => withBinary("FP32", "8000,500", Buffer.alloc(15_000_000))],
  ] as [string, string, () => Buffer][]
).map(([name, model, make]) => ({
  name: `infer binary: ${name}`,
  path: `/v2/models/${model}/infer`,
  headers: { "inference-header-content-length": String(JSON_OCTETS) },
  make,
}));
