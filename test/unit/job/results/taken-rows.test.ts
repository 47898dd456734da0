import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { takeRows } from "../../../../src/job/results/taken-rows.ts";
import { fromMessage, toMessage } from "../../../support/models/tensor-messages.ts";

test("the rows taken are those rows of every tensor, in the order asked for", () => {
  const cases = fc
    .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 4 }))
    .chain(([rows, width]) =>
      fc.record({
        rows: fc.constant(rows),
        width: fc.constant(width),
        texts: fc.array(fc.string({ unit: "grapheme" }), {
          minLength: rows * width,
          maxLength: rows * width,
        }),
        taken: fc.array(fc.nat(rows - 1), { maxLength: 30 }),
      }),
    );
  fc.assert(
    fc.property(cases, ({ rows, width, texts, taken }) => {
      const wellFormed = texts.map((text) => text.toWellFormed());
      const count = rows * width;
      const request = create(PredictRequestSchema, {
        modelName: "m",
        modelVersion: "2",
        outputNames: ["p"],
        inputs: [
          { name: "t", datatype: "BYTES" as const, shape: [rows, width], data: wellFormed },
          {
            name: "n",
            datatype: "INT64" as const,
            shape: [rows, width],
            data: BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
          },
          {
            name: "b",
            datatype: "BOOL" as const,
            shape: [rows],
            data: Uint8Array.from({ length: rows }, (_, i) => i % 2),
          },
        ].map((tensor) => toMessage(tensor, true)),
      });
      const part = takeRows(request, Int32Array.from(taken));
      expect(part).toMatchObject({ modelName: "m", modelVersion: "2", outputNames: ["p"] });
      const picked = <T>(data: readonly T[], size: number) =>
        taken.flatMap((row) => data.slice(row * size, (row + 1) * size));
      if (taken.length === 0) {
        expect(part.inputs.map(({ shape, rawContents }) => [shape[0], rawContents.length])).toEqual([
          [0n, 0],
          [0n, 0],
          [0n, 0],
        ]);
        return;
      }
      const tensors = part.inputs.map(fromMessage);
      expect(tensors.map(({ shape }) => shape)).toEqual([
        [taken.length, width],
        [taken.length, width],
        [taken.length],
      ]);
      expect(tensors[0]!.data).toEqual(picked(wellFormed, width));
      expect([...(tensors[1]!.data as BigInt64Array)].map(Number)).toEqual(
        picked(
          Array.from({ length: count }, (_, i) => i),
          width,
        ),
      );
      expect([...(tensors[2]!.data as Uint8Array)]).toEqual(taken.map((row) => row % 2));
    }),
  );
});
