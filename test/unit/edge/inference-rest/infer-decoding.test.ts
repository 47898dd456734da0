import { expect, test } from "vitest";
import type { Tensor } from "../../../../gen/assay/v1/tensor_pb.ts";
import { InferForm } from "../../../../src/edge/inference-rest/infer-decoding.ts";
import { InferRequest } from "../../../../src/edge/inference-rest/infer-request.ts";
import type { AssayError } from "../../../../src/errors.ts";
import { PackedContents } from "../../../../src/tensor/packed-contents.ts";

const OPTIONS = { maxMessageBytes: 2 ** 20, ignoreUnknownFields: false };

function decode(body: unknown, binary: Uint8Array = new Uint8Array(0)): InferRequest {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const request = new InferRequest("m", "");
  const steps = new InferForm(request, binary).begin(Buffer.from(text), OPTIONS);
  while (!steps.step());
  return request;
}

function faults(body: unknown, binary?: Uint8Array): string[] {
  try {
    decode(body, binary);
  } catch (error) {
    return (error as AssayError).violations.map(({ field, description }) => `${field}: ${description}`);
  }
  throw new Error("nothing was wrong with it");
}

const tensor = (datatype: string, shape: unknown, data: unknown) => ({
  inputs: [{ name: "x", datatype, shape, data }],
});
const valuesOf = ({ contents }: Tensor) => (contents as PackedContents).values;

test.each([
  ["FP32", [1.5, null, "NaN", 3], Float32Array.of(1.5, Number.NaN, Number.NaN, 3)],
  ["FP64", [1.5, 1e300, 2, 3], Float64Array.of(1.5, 1e300, 2, 3)],
  [
    "INT64",
    [1, -(2 ** 53), "9223372036854775807", 3],
    BigInt64Array.of(1n, -(2n ** 53n), 2n ** 63n - 1n, 3n),
  ],
  ["UINT64", [1, 2, "18446744073709551615", 3], BigUint64Array.of(1n, 2n, 2n ** 64n - 1n, 3n)],
  ["INT8", [-128, 127, 0, 1], Int8Array.of(-128, 127, 0, 1)],
  ["UINT16", [0, 65535, 1.0, 2], Uint16Array.of(0, 65535, 1, 2)],
  ["BOOL", [true, false, 1, 0], Uint8Array.of(1, 0, 1, 0)],
  ["BYTES", ["a", "", "é", "\u2028"], ["a", "", "é", "\u2028"]],
])("%s values stand in the array of their datatype, flat or nested", (datatype, data, values) => {
  const nested = [data.slice(0, 2), data.slice(2)];
  for (const one of [data, nested, nested.map((row) => [row])]) {
    const [input] = decode(tensor(datatype, [2, 2], one)).inputs;
    expect(input).toMatchObject({ name: "x", datatype, shape: [2n, 2n] });
    const came = valuesOf(input!);
    expect(
      came.constructor === Float64Array && datatype === "FP32"
        ? Float32Array.from(came as Float64Array)
        : came,
    ).toEqual(values);
  }
});

test.each(["[1,NaN]", "[NaN, 1]", "[[NaN],[1]]", `[${"1,".repeat(20_000)}NaN]`])(
  "NaN, as Triton's clients write it, is a missing number in %.20s",
  (data) => {
    const body = (datatype: string) =>
      `{"inputs":[{"name":"x","shape":[${data.length > 99 ? 20_001 : 2}],"datatype":"${datatype}","data":${data}}]}`;
    const values = valuesOf(decode(body("FP32")).inputs[0]!) as Float32Array;
    expect([...values].filter(Number.isNaN)).toHaveLength(1);
    expect(faults(body("INT32"))[0]).toMatch(/^inputs\[0\]\.data\[\d+\]: null or NaN came; a whole number/);
  },
);

test.each(["[1,-NaN]", "[1,nan]", "[NaNs]", "[1,Infinity]", "[1,NaN,]"])(
  "%s is no list of numbers",
  (data) => {
    const body = `{"inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":${data}}]}`;
    expect(faults(body)[0]).toMatch(/^: JSON decode error at character \d+: /);
  },
);

test.each([[1.5], 1.5])("what has no axes is %j", (data) => {
  expect(valuesOf(decode(tensor("FP32", [], data)).inputs[0]!)).toHaveLength(1);
});

test("long lists of numbers of any datatype are read as short ones are", () => {
  const whole = Array.from({ length: 1000 }, (_, i) => i % 100);
  for (const [datatype, View] of [
    ["FP32", Float32Array],
    ["FP64", Float64Array],
    ["INT8", Int8Array],
  ] as const) {
    expect(valuesOf(decode(tensor(datatype, [1000], whole)).inputs[0]!)).toEqual(View.from(whole));
  }
  expect(valuesOf(decode(tensor("INT64", [10, 100], whole)).inputs[0]!)).toEqual(
    BigInt64Array.from(whole, BigInt),
  );
});

test("members that nobody knows are ignored, wherever they stand", () => {
  const request = decode({
    id: "7",
    model_nmae: "x",
    parameters: { mine: { data: [1, 2] } },
    inputs: [{ name: "x", datatype: "FP32", shape: [1], data: [1], more: [1], parameters: { mine: 1 } }],
    outputs: [{ name: "y", parameters: { mine: 1 }, more: 1 }],
  });
  expect(request).toMatchObject({
    requestId: "7",
    outputNames: ["y"],
    isBinary: false,
    timeoutMs: Number.POSITIVE_INFINITY,
  });
});

test("what is asked of the outputs is kept", () => {
  const request = decode({
    ...tensor("FP32", [1], [1]),
    parameters: { binary_data_output: true, timeout: 1500, priority: 1 },
    outputs: [
      { name: "a" },
      { name: "b", parameters: { binary_data: false } },
      { name: "c", parameters: { classification: 3, binary_data: true } },
    ],
  });
  expect(request.isBinary).toBe(true);
  expect(request.timeoutMs).toBe(1.5);
  expect(request.asked).toEqual([
    { name: "a", isBinary: undefined },
    { name: "b", isBinary: false },
    { name: "c", isBinary: true },
  ]);
  expect(request.topClasses).toEqual(new Map([["c", 3]]));
  expect(request.lane).toBe("interactive");
});

test("bytes behind the JSON are those of the inputs that say so, in their order", () => {
  const binary = (name: string, size: number) => ({
    name,
    datatype: "UINT8",
    shape: [size],
    parameters: { binary_data_size: size },
  });
  const { inputs } = decode(
    { inputs: [binary("a", 2), { name: "b", datatype: "UINT8", shape: [1], data: [9] }, binary("c", 3)] },
    Uint8Array.of(1, 2, 3, 4, 5),
  );
  expect(inputs.map(({ rawContents }) => [...rawContents])).toEqual([[1, 2], [], [3, 4, 5]]);
});

const good = { name: "x", datatype: "FP32", shape: [1], data: [1] };
const input = (damage: object) => ({ inputs: [{ ...good, ...damage }] });

test.each([
  ["null", "null", [": null came; an object is expected"]],
  ["a list", "[]", [": a list of 0 came; an object is expected"]],
  ["no inputs", {}, ["inputs: is missing; a list of 1 to 1024 tensors is expected"]],
  ["empty inputs", { inputs: [] }, ["inputs: 0 came; a list of 1 to 1024 tensors is expected"]],
  [
    "an input that is none",
    { inputs: [null, 1] },
    ["inputs[0]: null came; an object is expected", "inputs[1]: 1 came; an object is expected"],
  ],
  ["a number as id", { id: 1, inputs: [good] }, ["id: 1 came; a text is expected"]],
  [
    "parameters that are none",
    { parameters: [], inputs: [good] },
    ["parameters: a list of 0 came; an object is expected"],
  ],
  [
    "a text as timeout",
    { parameters: { timeout: "1" }, inputs: [good] },
    ['parameters["timeout"]: "1" came; microseconds is expected, a whole number from 0 on'],
  ],
  [
    "a negative priority",
    { parameters: { priority: -1 }, inputs: [good] },
    [
      'parameters["priority"]: -1 came; a priority, 1 being the highest is expected, a whole number from 0 on',
    ],
  ],
  [
    "a number as binary_data_output",
    { parameters: { binary_data_output: 1 }, inputs: [good] },
    ["parameters.binary_data_output: 1 came; true or false is expected"],
  ],
  [
    "a sequence",
    { parameters: { sequence_id: 3, sequence_start: true }, inputs: [good] },
    ['parameters["sequence_id"]: the models here keep no state between requests, so there are no sequences'],
  ],
  [
    "a reserved parameter",
    { parameters: { triton_x: 3 }, inputs: [good] },
    [
      'parameters["triton_x"]: names that begin with triton_ are reserved, and the server has none of this name',
    ],
  ],
  ["no name", input({ name: undefined }), ["inputs[0].name: is missing; a text is expected"]],
  ["a number as datatype", input({ datatype: 1 }), ["inputs[0].datatype: 1 came; a text is expected"]],
  [
    "no shape",
    input({ shape: undefined }),
    ["inputs[0].shape: is missing; a list of whole numbers is expected"],
  ],
  [
    "a negative length",
    input({ shape: [-1] }),
    ["inputs[0].shape[0]: -1 came; a whole number from 0 on is expected"],
  ],
  [
    "no data",
    input({ data: undefined }),
    ["inputs[0].data: is missing; a list is expected, or binary_data_size in parameters"],
  ],
  ["data that is no list", input({ data: 1 }), ["inputs[0].data: 1 came; a list is expected"]],
  [
    "a text among floats",
    input({ data: ["a"] }),
    ['inputs[0].data[0]: "a" came; a number, or null where it is missing is expected'],
  ],
  [
    "a fraction among integers",
    input({ datatype: "INT32", data: [1.5] }),
    ["inputs[0].data[0]: 1.5 came; a whole number from -2147483648 to 2147483647 is expected"],
  ],
  [
    "a number beyond the datatype",
    input({ datatype: "UINT8", data: [256] }),
    ["inputs[0].data[0]: 256 came; a whole number from 0 to 255 is expected"],
  ],
  [
    "null among integers",
    input({ datatype: "INT32", shape: [101], data: [...new Array(100).fill(1), null] }),
    ["inputs[0].data[100]: null or NaN came; a whole number from -2147483648 to 2147483647 is expected"],
  ],
  [
    "NUL in a text",
    input({ datatype: "BYTES", data: ["a\0b"] }),
    [expect.stringMatching(/^inputs\[0\]\.data\[0\]: .*NUL/) as unknown as string],
  ],
  [
    "half floats",
    input({ datatype: "FP16", data: [1] }),
    [
      "inputs[0].data: JSON carries no FP16; send its bytes behind the JSON, with binary_data_size in the input's parameters",
    ],
  ],
  [
    "lists nested otherwise than the shape",
    input({
      shape: [3, 2],
      data: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    }),
    ["inputs[0].data: the lists are nested as [2,3]; the shape is [3,2]"],
  ],
  [
    "uneven lists",
    input({ shape: [2, 2], data: [[1, 2], [3]] }),
    ["inputs[0].data: a list of 1 stands beside one of 2: the lists of an axis are as long as each other"],
  ],
  [
    "values beside lists",
    input({ shape: [2, 2], data: [[1, 2], 3] }),
    ["inputs[0].data: 3 stands beside lists"],
  ],
  ["outputs that are none", { inputs: [good], outputs: {} }, ["outputs: an object came; a list is expected"]],
  [
    "an output without a name",
    { inputs: [good], outputs: [{}] },
    ["outputs[0].name: is missing; a text is expected"],
  ],
  [
    "a text as classification",
    { inputs: [good], outputs: [{ name: "y", parameters: { classification: "3" } }] },
    [
      'outputs[0].parameters.classification: "3" came; the number of classes is expected, a whole number from 0 on',
    ],
  ],
  [
    "a number as binary_data",
    { inputs: [good], outputs: [{ name: "y", parameters: { binary_data: 0 } }] },
    ["outputs[0].parameters.binary_data: 0 came; true or false is expected"],
  ],
  [
    "data and binary data",
    input({ parameters: { binary_data_size: 0 } }),
    ["inputs[0]: came with data and with binary_data_size; send one of them"],
  ],
  [
    "a text as binary_data_size",
    input({ data: undefined, parameters: { binary_data_size: "4" } }),
    ['inputs[0].parameters.binary_data_size: "4" came; a whole number from 0 on is expected'],
  ],
  [
    "more binary data than came",
    input({ data: undefined, parameters: { binary_data_size: 4 } }),
    ["inputs[0].parameters.binary_data_size: 4 bytes are to come; 0 are left behind the JSON"],
  ],
])("%s is told with its place", (_, body, expected) => expect(faults(body)).toEqual(expected));

test("bytes that no input takes are told", () => {
  expect(faults(input({}), new Uint8Array(3))).toEqual([
    "inputs: 3 bytes came behind the JSON; binary_data_size of the inputs takes 0",
  ]);
});

test.each(["inputs", "outputs"])("shared memory of %s is not implemented, and says so", (member) => {
  const parameters = { shared_memory_region: "r", shared_memory_byte_size: 4 };
  const body = { inputs: [good], outputs: [{ name: "y" }] } as Record<string, object[]>;
  Object.assign(body[member]![0]!, { parameters });
  expect(() => decode(body)).toThrow(/maps no memory of its clients/);
});

test("contents are those that the service reads without a list", () => {
  expect(decode(tensor("FP32", [1], [1])).inputs[0]!.contents).toBeInstanceOf(PackedContents);
});
