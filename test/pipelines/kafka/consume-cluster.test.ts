/** Three brokers with three copies of each partition: the leaders of partitions are killed one after the other while rows are scored. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { fileFolder } from "../../support/folders.ts";
import { type ConsumeProcess, startConsume } from "./consume-process.ts";
import { KafkaBroker } from "./kafka-broker.ts";
import { expectExactlyOnce, finish, PARTITIONS, produceRows, TOPICS } from "./scored-rows.ts";

const ROWS = 30_000;
const PRODUCED_SECONDS = 15;
const folder = fileFolder();
let brokers: KafkaBroker[] = [];
let members: ConsumeProcess[] = [];

beforeAll(async () => {
  brokers = await KafkaBroker.startCluster(folder, 3);
  const isWhole = async () => expect((await metadata(brokers[0]!, [])).brokers.size).toBe(3);
  await vi.waitFor(isWhole, { timeout: 30_000, interval: 200 });
  await brokers[0]!.createTopics(TOPICS, PARTITIONS, { replicas: 3 });
});

afterAll(async () => {
  for (const one of members) await one.kill();
  for (const one of brokers) await one.kill();
});

async function metadata(broker: KafkaBroker, topics: string[]) {
  const admin = broker.admin();
  try {
    return await admin.metadata({ topics, forceUpdate: true });
  } finally {
    await admin.close();
  }
}

/** The broker that leads a partition. */
async function leaderOf(topic: string, partition: number): Promise<KafkaBroker> {
  for (const broker of brokers) {
    const found = await metadata(broker, [topic]).catch(() => undefined);
    const leader = found?.topics.get(topic)?.partitions[partition]?.leader ?? -1;
    if (leader > 0) return brokers[leader - 1]!;
  }
  throw new Error(`nobody leads partition ${partition} of ${topic}`);
}

test("every row has its score or dead letter exactly once, in order, while leaders of partitions are killed", async () => {
  const addresses = brokers.map(({ address }) => address).join(",");
  const flags = ["-b", addresses, "-i", "rows", "-o", "scores", "-g", "scorers", "-m", "iris"];
  const timeouts = ["--session-timeout-ms", "3000", "--transaction-timeout-ms", "3000"];
  const producing = produceRows(brokers[0]!.producer(brokers), ROWS, PRODUCED_SECONDS);
  members = await Promise.all([startConsume(...flags, ...timeouts), startConsume(...flags, ...timeouts)]);
  for (const topic of ["rows", "scores"]) {
    await delay(1000 + Math.random() * 2000);
    const leader = await leaderOf(topic, 1);
    await leader.kill();
    await delay(1000 + Math.random() * 2000);
    await leader.restart();
  }
  await producing;
  await finish(members);
  members = [];
  await expectExactlyOnce(brokers[0]!, ROWS);
});
