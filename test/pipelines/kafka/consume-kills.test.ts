/**
 * Exactly once: rows of four partitions are scored while two members of a group, and the broker itself, are killed at random moments and
 * a third member joins. What readers of committed scores see is compared with each row's score.
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, test } from "vitest";
import { fileFolder } from "../../support/folders.ts";
import { type ConsumeProcess, startConsume } from "./consume-process.ts";
import { KafkaBroker } from "./kafka-broker.ts";
import { expectExactlyOnce, finish, PARTITIONS, produceRows, TOPICS } from "./scored-rows.ts";

const ROWS = 200_000;
const PRODUCED_SECONDS = 30;

const folder = fileFolder();
let broker: KafkaBroker;
const running = new Set<ConsumeProcess>();

beforeAll(async () => {
  broker = await KafkaBroker.start(folder);
  await broker.createTopics(TOPICS, PARTITIONS);
});

afterAll(async () => {
  for (const one of running) await one.kill();
  await broker?.kill();
});

async function startMember(): Promise<ConsumeProcess> {
  const flags = ["-b", broker.address, "-i", "rows", "-o", "scores", "-g", "scorers", "-m", "iris"];
  // A broker that starts ends transactions whose time is up before it knows the topics, and forgets those parts of them (KRaft, alone).
  const timeouts = ["--session-timeout-ms", "3000", "--transaction-timeout-ms", "20000"];
  const member = await startConsume(...flags, ...timeouts);
  running.add(member);
  return member;
}

async function kill(member: ConsumeProcess): Promise<void> {
  running.delete(member);
  await member.kill();
}

test("every row has its score or dead letter exactly once, in order, whoever is killed", async () => {
  const moment = () => delay(1000 + Math.random() * 3000);
  const producing = produceRows(broker.producer(), ROWS, PRODUCED_SECONDS);
  const [first, second] = await Promise.all([startMember(), startMember()]);
  await moment();
  await kill(first);
  await moment();
  const again = await startMember();
  await moment();
  await broker.kill();
  await broker.restart();
  await moment();
  await kill(second);
  const third = await startMember();
  await moment();
  await broker.kill();
  await broker.restart();
  await moment();
  const fourth = await startMember();
  await producing;
  await finish([again, third, fourth]);
  running.clear();
  await expectExactlyOnce(broker, ROWS);
});
