import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { type Answerer, Conversation } from "../../../../src/app/edges/conversation.ts";
import type { Talk } from "../../../../src/app/edges/edge-messages.ts";
import { AssayError } from "../../../../src/errors.ts";

function pair(answerer: Answerer): readonly [Conversation, Conversation] {
  const one: Conversation = new Conversation(
    (talk) => queueMicrotask(() => other.hear(talk)),
    async () => true,
  );
  const other: Conversation = new Conversation((talk) => queueMicrotask(() => one.hear(talk)), answerer);
  return [one, other];
}

test("each question gets its own answer, in whatever order they come", async () => {
  const waiting: (() => void)[] = [];
  const [asker] = pair(
    (question) =>
      new Promise((resolve) => {
        waiting.push(() => resolve(question.kind === "drain" ? question.timeoutMs > 1 : true));
      }),
  );
  const answers = [1, 2].map((timeoutMs) => asker.ask({ kind: "drain", timeoutMs }));
  await expect.poll(() => waiting.length).toBe(2);
  for (const answer of waiting.reverse()) answer();
  expect(await Promise.all(answers)).toEqual([false, true]);
});

test("what the other side refuses is told with its reason", async () => {
  const [asker] = pair(async () => {
    throw new AssayError(Reason.QUEUE_FULL, "too many");
  });
  await expect(asker.ask({ kind: "sync" })).rejects.toMatchObject({
    reason: Reason.QUEUE_FULL,
    message: "too many",
  });
});

test("a side that has gone leaves no question open, and takes none", async () => {
  const [asker] = pair(() => new Promise(() => {}));
  const open = asker.ask({ kind: "sync" });
  asker.end("it has gone");
  await expect(open).rejects.toThrow("it has gone");
  await expect(asker.ask({ kind: "sync" })).rejects.toThrow("it has gone");
});

test("other messages are left to others", () => {
  const [asker] = pair(async () => true);
  expect(asker.hear({ kind: "listening" } as unknown as Talk)).toBe(false);
});
