import { expect, test } from "vitest";
import { type MappingOptions, mapColumns } from "../../../src/score/column-mapping.ts";
import { createRowEncoder, type RowEncoderOptions } from "../../../src/score/row-encoder.ts";
import { modelMessage, specMessage } from "../../model-message.ts";
import { queryChunks } from "../../table-chunks.ts";
import { fromMessage } from "../../tensor-messages.ts";

type Inputs = Parameters<typeof modelMessage>[0];

/** Maps a query's columns to inputs and encodes its rows: all chunks must be one. */
async function encode(
  inputs: Inputs,
  sql: string,
  options: Partial<RowEncoderOptions> & Partial<MappingOptions> = {},
) {
  const { columns, chunks } = await queryChunks(sql);
  const mapping = mapColumns(modelMessage(inputs), columns, {
    maps: new Map(),
    byPosition: false,
    keep: [],
    textNumbers: true,
    ...options,
  });
  const wide = mapping.requests.map(({ name, asDouble }) =>
    asDouble === true ? `"${name}"::DOUBLE AS "${name}"` : `"${name}"`,
  );
  const read = await queryChunks(`SELECT ${wide.join(", ")} FROM (${sql})`);
  expect(chunks).toHaveLength(1);
  const encoder = createRowEncoder(mapping, {
    modelName: "census",
    modelVersion: "3",
    outputNames: [],
    nullTexts: new Set(),
    decimalComma: false,
    trimText: false,
    textForNull: undefined,
    ...options,
  });
  const { request, rows, errors, rowCount } = encoder.encode(read.chunks[0]!);
  const tensors = (request?.inputs ?? []).map(fromMessage);
  const values = tensors.map(({ data }) => Array.from(data as ArrayLike<unknown>));
  return { request, rows: rows && [...rows], errors: Object.fromEntries(errors), rowCount, tensors, values };
}

const one = (datatype: string) => [specMessage("x", datatype, [-1, 1])];
const rows = (...values: string[]) =>
  `SELECT * FROM (VALUES ${values.map((value) => `(${value})`).join(",")}) t(x)`;

test("columns become one row-major tensor an input, and the request names its model", async () => {
  const inputs = [
    specMessage("v", "FP32", [-1, 3], { featureNames: ["a", "b", "c"] }),
    specMessage("n", "INT64", [-1]),
  ];
  const sql = "SELECT 2::FLOAT b, i + 0.5::DOUBLE c, i::BIGINT n, i::FLOAT a FROM range(3) t(i)";
  const { request, tensors, rows, rowCount } = await encode(inputs, sql, { outputNames: ["p"] });
  expect(request).toMatchObject({ modelName: "census", modelVersion: "3", outputNames: ["p"] });
  expect(tensors).toEqual([
    { name: "v", datatype: "FP32", shape: [3, 3], data: Float32Array.of(0, 2, 0.5, 1, 2, 1.5, 2, 2, 2.5) },
    { name: "n", datatype: "INT64", shape: [3], data: BigInt64Array.of(0n, 1n, 2n) },
  ]);
  expect([rows, rowCount]).toEqual([undefined, 3]);
});
