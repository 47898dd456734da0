import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import type { Asked } from "../../../../src/consume/records/record-value.ts";
import {
  halves,
  judge,
  partRequest,
  planRequests,
  type RequestForm,
  type RequestPart,
  without,
} from "../../../../src/consume/records/request-plan.ts";
import { AssayError } from "../../../../src/errors.ts";

const FORM: RequestForm = { featureInput: { name: "x", width: 2 }, isJoinable: true };
const row = (count = 1): Asked => ({ kind: "rows", rows: new Array(count).fill({ a: 1 }), requestId: "" });
const features = (...values: number[]): Asked => ({ kind: "features", features: values, requestId: "" });
const fault: Asked = { kind: "fault", fault: { field: "", message: "" } };
const invalid = (...fields: string[]) =>
  new AssayError(Reason.INVALID_REQUEST, "invalid", {
    violations: fields.map((field) => ({ field, description: `${field} is wrong`, rule: "r" })),
  });

test("records of one kind go together, up to so many rows; faults and deleted rows go nowhere", () => {
  const asked = [row(), features(1, 2), fault, row(2), { kind: "deleted" } as const, row(2), features(3, 4)];
  expect(planRequests(asked, FORM, 4)).toEqual([
    { kind: "rows", places: [0, 3], counts: [1, 2] },
    { kind: "features", places: [1, 6], counts: [1, 1] },
    { kind: "rows", places: [5], counts: [2] },
  ]);
});

test("features of another width, and rows of a model without scores, go alone", () => {
  expect(planRequests([features(1, 2), features(1)], FORM, 9)).toHaveLength(2);
  expect(planRequests([row(), row()], { ...FORM, isJoinable: false }, 9)).toHaveLength(2);
  const [part] = planRequests([features(1)], FORM, 9);
  expect(partRequest(part!, [features(1)], FORM)).toMatchObject({ features: [1], inputs: [] });
});

test("features become one tensor, rows one list", () => {
  const asked = [features(1, 2), row(2), features(3, Number.NaN), row()];
  const [matrix, rows] = planRequests(asked, FORM, 9);
  const [tensor] = partRequest(matrix!, asked, FORM).inputs;
  expect(tensor).toMatchObject({ name: "x", datatype: "FP32", shape: [2n, 2n] });
  expect([...new Float32Array(tensor!.rawContents.slice().buffer)]).toEqual([1, 2, 3, Number.NaN]);
  expect(partRequest(rows!, asked, FORM).rows).toHaveLength(3);
});

const PART: RequestPart = { kind: "rows", places: [4, 7, 9], counts: [1, 3, 1] };

test("records that a refusal names have none of the others' fate, and their fields are their own", () => {
  const verdict = judge(invalid('rows[2].fields["a"]', "rows[3]", "rows[4]"), PART, 0);
  expect(verdict).toEqual({
    kind: "refuse",
    refusals: new Map([
      [
        1,
        { reason: "INVALID_REQUEST", field: 'rows[1].fields["a"]', message: 'rows[2].fields["a"] is wrong' },
      ],
      [2, { reason: "INVALID_REQUEST", field: "rows[0]", message: "rows[4] is wrong" }],
    ]),
  });
  expect(without(PART, new Map([[1, 0]]))).toEqual({ kind: "rows", places: [4, 9], counts: [1, 1] });
  expect(without(PART, new Map([0, 1, 2].map((at) => [at, 0])))).toBeUndefined();
});

test("a tensor's violation names the record and the feature", () => {
  const part: RequestPart = { kind: "features", places: [0, 1], counts: [1, 1] };
  const verdict = judge(invalid("inputs[0].raw_contents[1][3]"), part, 0);
  expect(verdict).toMatchObject({
    refusals: new Map([[1, expect.objectContaining({ field: "features[3]" })]]),
  });
});

test("what names no record is halved until it stands alone", () => {
  expect(judge(invalid("inputs"), PART, 0)).toEqual({ kind: "halve" });
  expect(judge(new AssayError(Reason.RUN_FAILED, "failed"), PART, 0)).toEqual({ kind: "halve" });
  const [one, two] = halves(PART);
  expect([one.places, two.places]).toEqual([[4], [7, 9]]);
  expect(judge(new AssayError(Reason.RUN_FAILED, "failed"), one, 0)).toEqual({
    kind: "refuse",
    refusals: new Map([[0, { reason: "RUN_FAILED", field: "", message: "failed" }]]),
  });
});

test("what is the server's matter is tried again, but for rows that end the worker every time", () => {
  for (const reason of [
    Reason.QUEUE_FULL,
    Reason.SERVER_UNREACHABLE,
    Reason.MODEL_NOT_FOUND,
    Reason.INTERNAL,
  ])
    expect(judge(new AssayError(reason, ""), PART, 99)).toEqual({ kind: "retry" });
  const lost = new AssayError(Reason.INSTANCE_LOST, "lost");
  expect(judge(lost, PART, 1)).toEqual({ kind: "retry" });
  expect(judge(lost, PART, 5)).toEqual({ kind: "halve" });
  expect(judge(lost, halves(PART)[0], 5)).toMatchObject({ kind: "refuse" });
});
