import { expect, test } from "vitest";
import { openSource } from "../../../../src/table/read/open-source.ts";
import { modelMessage, specMessage } from "../../../support/models/model-message.ts";
import { fromMessage } from "../../../support/models/tensor-messages.ts";
import { encoderOf, mapped } from "../../../support/tables/row-encoding.ts";
import { tableFolder } from "../../../support/tables/table-folder.ts";

const folder = tableFolder();
const model = modelMessage([specMessage("v", "FP32", [-1, 3], { featureNames: ["a", "b", "c"] })]);

/** Every value of the tensor `v` from a row on, read packed or a column at a time. */
async function values(path: string, joinColumns: boolean, fromRow: number): Promise<number[]> {
  const source = await openSource({ inputs: [path] });
  const mapping = mapped(model, source.columns, { keep: ["b", "n"], textNumbers: false, joinColumns });
  expect(mapping.requests.some(({ packedFloats }) => packedFloats !== undefined)).toBe(joinColumns);
  const encoder = encoderOf(mapping);
  const all: number[] = [];
  for await (const chunk of source.read(mapping.requests, fromRow)) {
    const { request, errors } = encoder.encode(chunk);
    expect(errors.size).toBe(0);
    all.push(...(fromMessage(request!.inputs[0]!).data as Float32Array));
    const kept = chunk.chunk.getColumnVector(mapping.keep[0]!.vectorIndex);
    const [first] = all.slice(-chunk.chunk.rowCount * 3 + 1);
    expect(kept.getItem(0) ?? Number.NaN).toBe(first);
  }
  source.close();
  return all;
}

test("floats read as one list a row are those of the columns, NULL is NaN, from any row on", async () => {
  const path = await folder.writeParquet(
    "floats.parquet",
    `SELECT i AS n, i::FLOAT AS c, CASE WHEN i % 7 = 3 THEN NULL ELSE (i / 3)::FLOAT END AS b, (-i)::FLOAT AS a
     FROM range(5000) t(i)`,
  );
  for (const fromRow of [0, 1, 2047, 2048, 4999]) {
    const packed = await values(path, true, fromRow);
    expect(packed).toHaveLength((5000 - fromRow) * 3);
    expect(packed).toEqual(await values(path, false, fromRow));
    expect(packed[0]).toBeCloseTo(-fromRow);
    expect(packed[2]).toBe(fromRow);
  }
});

test("columns that are not all FLOAT are read one by one", async () => {
  const path = await folder.writeParquet(
    "mixed.parquet",
    "SELECT 1::FLOAT AS a, 2::DOUBLE AS b, 3::FLOAT AS c",
  );
  const source = await openSource({ inputs: [path] });
  const { requests } = mapped(model, source.columns, { textNumbers: false, joinColumns: true });
  expect(requests.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  source.close();
});
