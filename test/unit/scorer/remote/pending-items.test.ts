import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { PredictRequestSchema, PredictResponseSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../../../src/errors.ts";
import { type PendingItem, PendingItems } from "../../../../src/scorer/remote/pending-items.ts";

const request = create(PredictRequestSchema);
const response = create(PredictResponseSchema);

function takeAll(items: PendingItems): PendingItem[] {
  const taken: PendingItem[] = [];
  while (items.waitingCount > 0) taken.push(items.takeNext());
  return taken;
}

test("items are taken in their order; those put back come first, in the order of their numbers", async () => {
  const items = new PendingItems(1000);
  const answers = Array.from({ length: 300 }, () => items.add(request));
  const first = Array.from({ length: 200 }, () => items.takeNext());
  expect(first.map(({ itemId }) => itemId)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  items.putBack([first[150]!, first[20]!]);
  items.putBack([first[3]!]);
  expect(items.waitingCount).toBe(103);
  const rest = takeAll(items);
  expect(rest.slice(0, 4).map(({ itemId }) => itemId)).toEqual([4, 21, 151, 201]);
  expect(items.count).toBe(300);
  for (const item of [...first, ...rest]) items.settle(item, response);
  expect(await Promise.all(answers)).toHaveLength(300);
  expect(items.count).toBe(0);
});

test("more than may wait are refused with LIMIT_REACHED", async () => {
  const items = new PendingItems(2);
  const answers = [items.add(request), items.add(request)];
  await expect(items.add(request)).rejects.toMatchObject({ reason: Reason.LIMIT_REACHED });
  const taken = takeAll(items);
  answers.push(items.add(request));
  for (const item of [...taken, ...takeAll(items)]) items.settle(item, response);
  expect(await Promise.all(answers)).toHaveLength(3);
});

test("all are rejected at once, waiting or sent, and settled once", async () => {
  const items = new PendingItems(10);
  const answers = [items.add(request), items.add(request)];
  const sent = items.takeNext();
  const error = new AssayError(Reason.CANCELLED, "closed");
  items.rejectAll(error);
  items.settle(sent, response);
  const results = await Promise.allSettled(answers);
  expect(results.map((one) => (one as PromiseRejectedResult).reason)).toEqual([error, error]);
  expect(items).toMatchObject({ count: 0, waitingCount: 0 });
});
