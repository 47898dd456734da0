import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Tensor } from "../../../../gen/assay/v1/tensor_pb.ts";
import { InferForm } from "../../../../src/edge/inference-rest/infer-decoding.ts";
import { InferRequest } from "../../../../src/edge/inference-rest/infer-request.ts";
import { InferRequestReader } from "../../../../src/edge/inference-rest/infer-request-reader.ts";
import { FiniteTensor } from "../../../../src/tensor/finite-tensor.ts";
import type { PackedContents } from "../../../../src/tensor/packed-contents.ts";

const OPTIONS = { maxMessageBytes: 2 ** 20, ignoreUnknownFields: false };
const reader = new InferRequestReader();

function plain(body: string | Uint8Array): InferRequest | undefined {
  const request = new InferRequest("m", "");
  const untouched = structuredClone(request);
  if (reader.read(Buffer.from(body as string), request)) return request;
  expect(structuredClone(request)).toStrictEqual(untouched);
  return undefined;
}

/** By the general reader; undefined where it refuses the body. */
function general(body: Uint8Array): InferRequest | undefined {
  const request = new InferRequest("m", "");
  try {
    const steps = new InferForm(request, new Uint8Array(0)).begin(body, OPTIONS);
    while (!steps.step());
  } catch {
    return undefined;
  }
  return request;
}

/** What a request asks, with the numbers of its tensors as their octets. */
function meaning({ inputs, ...rest }: InferRequest): unknown {
  return { ...rest, inputs: inputs.map(tensorMeaning) };
}

function tensorMeaning({ name, datatype, shape, contents, rawContents }: Tensor): unknown {
  const values = (contents as PackedContents | undefined)?.values as Float64Array | undefined;
  const floats = datatype === "FP32" ? Float32Array : Float64Array;
  const octets = values === undefined ? rawContents : Buffer.from(floats.from(values).buffer);
  return { name, datatype, shape, octets: Buffer.from(octets).toString("hex") };
}

const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("features", "x", "") },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 30 }) },
);
const value = fc.oneof(
  { weight: 20, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 20, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }) },
  { weight: 20, arbitrary: fc.integer() },
  { weight: 1, arbitrary: fc.constant(null) },
);
const tensor = fc
  .record({
    name: text,
    rows: fc.constantFrom(0, 1, 1, 1, 2, 3),
    columns: fc.integer({ min: 1, max: 4 }),
    datatype: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom("FP32", "FP64") },
      { weight: 1, arbitrary: fc.constantFrom("INT32", "BYTES", "FP99") },
    ),
    nested: fc.boolean(),
    values: fc.array(value, { minLength: 12, maxLength: 12 }),
    order: fc.shuffledSubarray(["name", "shape", "datatype", "data"], { minLength: 3 }),
    usual: fc.constantFrom(true, true, true, false),
  })
  .map(({ name, rows, columns, datatype, nested, values, order, usual }) => {
    const flat = values.slice(0, rows * columns);
    const inRows = Array.from({ length: rows }, (_, row) => flat.slice(row * columns, (row + 1) * columns));
    const all: Record<string, unknown> = {
      name,
      shape: [rows, columns],
      datatype,
      data: nested ? inRows : flat,
    };
    const names = usual ? ["name", "shape", "datatype", "data"] : order;
    return Object.fromEntries(names.map((member) => [member, all[member]]));
  });
const output = fc.record(
  {
    name: text,
    parameters: fc.oneof(
      fc.record({ binary_data: fc.boolean() }),
      fc.record({ binary_data: fc.boolean(), classification: fc.nat() }, { requiredKeys: [] }),
    ),
  },
  { requiredKeys: ["name"] },
);
const body = fc
  .tuple(
    fc.record(
      {
        id: text,
        inputs: fc.array(tensor, { minLength: 1, maxLength: 3 }),
        outputs: fc.array(output, { maxLength: 2 }),
      },
      { requiredKeys: ["inputs"] },
    ),
    fc.constantFrom(0, 0, 1),
  )
  .map(([message, spaces]) => JSON.stringify(message, null, spaces));

/** Numbers below `limit`, the same in every run. */
function dice(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % limit;
  };
}

const SIGNS = Buffer.from('{}[]",:-+.eE0123456789 \n\\u\0\x7f\xff', "latin1");

/** The first is as it was; others have octets changed, cut, put in or said twice. */
function damaged(octets: Buffer, index: number, roll: (limit: number) => number): Buffer {
  if (index === 0) return octets;
  const at = roll(octets.length);
  const sign = SIGNS.subarray(roll(SIGNS.length)).subarray(0, 1);
  const copy = Buffer.from(octets);
  switch (roll(5)) {
    case 0:
      copy[at] = sign[0]!;
      return copy;
    case 1:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1)]);
    case 2:
      return Buffer.concat([copy.subarray(0, at), sign, copy.subarray(at)]);
    case 3:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at - roll(12))]);
    default:
      return copy.subarray(0, at);
  }
}

test("of 20,000 good and damaged bodies each that is read by hand means what the general reader reads", () => {
  const roll = dice(20_261_129);
  let byHand = 0;
  let refused = 0;
  for (const one of fc.sample(body, { seed: 20_261_129, numRuns: 2000 })) {
    for (let i = 0; i < 10; i++) {
      const octets = damaged(Buffer.from(one), i, roll);
      const read = new InferRequest("m", "");
      const isPlain = reader.read(octets, read);
      const reference = general(octets);
      if (reference === undefined) refused++;
      if (!isPlain) continue;
      byHand++;
      if (reference === undefined || !isDeepStrictEqual(meaning(read), meaning(reference))) {
        expect(read, octets.toString()).toEqual(reference);
      }
    }
  }
  expect(byHand).toBeGreaterThan(500);
  expect(refused).toBeGreaterThan(5000);
});

const HEAD = '"name":"x","shape":[1,2],"datatype":"FP32"';
const input = (members: string) => `{"inputs":[{${members}}]}`;
const good = input(`${HEAD},"data":[1,2.5]`);

test.each([
  good,
  `  ${good}\n`,
  JSON.stringify(JSON.parse(good), null, 2),
  input(`${HEAD},"data":[[1,2.5]]`),
  `{"id":"7","inputs":[{${HEAD},"data":[1,2.5]}],"outputs":[{"name":"y"},{"name":"z","parameters":{"binary_data":false}}]}`,
])("%s is read by hand, into a tensor that nobody needs to look at again", (one) => {
  const request = plain(one);
  expect(request?.inputs[0]).toBeInstanceOf(FiniteTensor);
  expect(meaning(request!)).toEqual(meaning(general(Buffer.from(one))!));
});

test.each([
  ["a datatype behind the data", input('"name":"x","shape":[1,2],"data":[1,2.5],"datatype":"FP32"')],
  ["parameters", `{"parameters":{},"inputs":[{${HEAD},"data":[1,2.5]}]}`],
  ["an unknown member", `{"more":1,"inputs":[{${HEAD},"data":[1,2.5]}]}`],
  ["a member twice", input(`${HEAD},"data":[1,2.5],"data":[1,2.5]`)],
  ["an escape", input('"na\\u006de":"x","shape":[1,2],"datatype":"FP32","data":[1,2.5]')],
  ["more numbers than the shape", input(`${HEAD},"data":[1,2,3]`)],
  ["lists of another nesting", input(`${HEAD.replace("1,2", "2,3")},"data":[[1,2],[3,4],[5,6]]`)],
  ["no outputs", `{"inputs":[{${HEAD},"data":[1,2.5]}],"outputs":[]}`],
  ["something behind the end", `${good}}`],
  ["octets that are no UTF-8", Buffer.from(good.replace('"x"', '"\xff"'), "latin1")],
  ["nothing", ""],
])("a body with %s is left to the general reader, with nothing read", (_, one) => {
  expect(plain(one)).toBeUndefined();
});

test("a body that is long is left to the general reader, which reads it in slices", () => {
  const long = (count: number) =>
    `{"inputs":[{"name":"x","shape":[${count}],"datatype":"FP32","data":[${"1,".repeat(count - 1)}1]}]}`;
  expect(plain(long(24_000))!.inputs[0]!.rawContents).toHaveLength(96_000);
  expect(plain(long(25_000))).toBeUndefined();
});
