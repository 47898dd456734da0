/** Memory while a backlog is worked off: what the process holds after a part of it is what it holds after all. */
import { readFileSync } from "node:fs";
import { expect, inject, onTestFinished, test } from "vitest";
import { startConsume } from "./consume-process.ts";
import { KafkaBroker } from "./kafka-broker.ts";

const ROWS = 300_000;
const EARLY_ROWS = 100_000;
const PARTITIONS = 4;
const STEP = 4000;
/** The heap may hold 2.2 times what lives before it is collected: between two looks it swings by a sixth. */
const MOST_GROWTH = 1.25;

test("what is held does not grow with the backlog", async () => {
  const broker = KafkaBroker.at(inject("brokerAddress"));
  await broker.createTopics(["backlog", "backlog-scores", "backlog-scores-dead-letter"], PARTITIONS);
  const producer = broker.producer();
  for (let first = 0; first < ROWS; first += STEP) {
    const messages = Array.from({ length: STEP }, (_, at) => ({
      topic: "backlog",
      partition: (first + at) % PARTITIONS,
      key: Buffer.from(String(first + at)),
      value: Buffer.from(JSON.stringify([4 + (at % 37) / 10, 2 + (at % 23) / 10, 1.5, (at % 24) / 10])),
    }));
    await producer.send({ messages });
  }
  await producer.close();
  const names = ["-b", broker.address, "-i", "backlog", "-o", "backlog-scores", "-g", "backlog"];
  const member = await startConsume(...names, "-m", "iris");
  onTestFinished(() => member.kill());
  const most = { early: 0, all: 0 };
  await expect
    .poll(
      async () => {
        const rows = await member.metric("assay_consume_rows_total");
        const resident = residentMb(member.processId);
        if (rows <= EARLY_ROWS) most.early = Math.max(most.early, resident);
        most.all = Math.max(most.all, resident);
        return rows;
      },
      { timeout: 150_000, interval: 50 },
    )
    .toBe(ROWS);
  expect(most.all / most.early, `${most.early} MB, and then ${most.all} MB`).toBeLessThan(MOST_GROWTH);
});

function residentMb(processId: number): number {
  const status = readFileSync(`/proc/${processId}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024);
}
