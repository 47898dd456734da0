import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { UpdateQueue } from "../../../../src/registry/updates/update-queue.ts";

/** Work that lasts until it is let go; `done` says what has begun and ended. */
function works() {
  const done: string[] = [];
  const letGo = new Map<string, () => void>();
  const work = (name: string) => async () => {
    done.push(`${name} begins`);
    const { promise, resolve } = Promise.withResolvers<void>();
    letGo.set(name, resolve);
    await promise;
    done.push(`${name} ends`);
  };
  return { done, work, end: (name: string) => letGo.get(name)!() };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("updates of one model wait for one another, those of others do not", async () => {
  const queue = new UpdateQueue();
  const { done, work, end } = works();
  void queue.run("m", work("first"));
  void queue.run("m", work("second"));
  void queue.run("n", work("other"));
  await turn();
  expect(done).toEqual(["first begins", "other begins"]);
  end("first");
  await turn();
  expect(done).toEqual(["first begins", "other begins", "first ends", "second begins"]);
});

test("one that fails lets the next begin, and rejects as it did", async () => {
  const queue = new UpdateQueue();
  const failed = queue.run("m", async () => {
    throw new Error("half a file");
  });
  const next = queue.run("m", async () => "done");
  await expect(failed).rejects.toThrow("half a file");
  expect(await next).toBe("done");
});

test("more than eight that wait for one model, or 256 for all, are refused with what waits", async () => {
  const queue = new UpdateQueue();
  const { work } = works();
  const fill = (name: string) => {
    for (let count = 0; count < 9; count++) void queue.run(name, work(`${name}${count}`));
  };
  fill("m");
  await expect(queue.run("m", work("more"))).rejects.toMatchObject({
    reason: Reason.QUEUE_FULL,
    limit: "waiting-updates",
    message: expect.stringContaining('8 updates of model "m" wait already'),
  });
  for (let model = 1; model < 32; model++) fill(`m${model}`);
  void queue.run("last", work("last"));
  await expect(queue.run("last", work("more"))).rejects.toThrow("256 updates of models wait already");
});

test("once closed nothing that waits begins, and nothing more is taken", async () => {
  const queue = new UpdateQueue();
  const { done, work, end } = works();
  const first = queue.run("m", work("first"));
  const second = queue.run("m", work("second"));
  await turn();
  queue.close();
  end("first");
  await first;
  await expect(second).rejects.toMatchObject({ reason: Reason.SHUTTING_DOWN });
  await expect(queue.run("n", work("n"))).rejects.toMatchObject({ reason: Reason.SHUTTING_DOWN });
  expect(done).toEqual(["first begins", "first ends"]);
});
