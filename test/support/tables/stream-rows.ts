import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect } from "vitest";
import { seeded } from "../../../bench/models/tree-models.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";

/** Rows for the model iris, as text a line each; bad rows hold an infinity. */
export interface StreamRows {
  readonly text: string;
  readonly features: readonly (readonly number[])[];
}

/** Makes rows that are all different. */
export function streamRows(count: number, isBad: (row: number) => boolean): StreamRows {
  const random = seeded(count);
  const features = Array.from({ length: count }, (_, row) => {
    const values = Array.from({ length: 4 }, () => Math.fround(random() * 8));
    return isBad(row) ? values.with(row % 4, Number.POSITIVE_INFINITY) : values;
  });
  return { features, text: features.map((values) => `${values.join(",")}\n`).join("") };
}

/** Compares what a program of docs/streaming.md printed with what unary calls answer. */
export async function expectScores(url: string, rows: StreamRows, printed: string): Promise<void> {
  const client = createClient(ScoringService, createGrpcTransport({ baseUrl: url }));
  const good = rows.features.filter((values) => values.every(Number.isFinite));
  const scores: number[] = [];
  for (let first = 0; first < good.length; first += 4000) {
    const part = good.slice(first, first + 4000);
    const rawContents = new Uint8Array(Float32Array.from(part.flat()).buffer);
    const shape = [BigInt(part.length), 4n];
    const inputs = [{ name: "features", datatype: "FP32", shape, rawContents }];
    scores.push(...(await client.predict({ modelName: "iris", inputs })).scores);
  }
  const lines = printed.trimEnd().split("\n");
  expect(lines).toHaveLength(rows.features.length);
  let next = 0;
  for (const [row, values] of rows.features.entries()) {
    const line = lines[row]!;
    if (!values.every(Number.isFinite)) {
      expect(line).toBe(`${row} Infinity came; a finite number is expected`);
      continue;
    }
    const [number, score] = line.split(" ");
    expect(number).toBe(String(row));
    // Sums differ in their order with the size of a batch.
    expect(Number(score)).toBeCloseTo(scores[next++]!, 4);
  }
}
