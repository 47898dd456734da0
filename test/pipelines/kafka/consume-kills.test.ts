/**
 * Exactly once: rows of four partitions are scored while two members of a group, and the broker itself, are killed at random moments and
 * a third member joins. What readers of committed scores see is compared with each row's score.
 */
import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { openEmbeddedScorer } from "../../../src/scorer/embedded-scorer.ts";
import { fileFolder } from "../../support/folders.ts";
import { silentLog } from "../../support/servers/silent-log.ts";
import { type ConsumeProcess, startConsume } from "./consume-process.ts";
import { KafkaBroker, type ReadRecord } from "./kafka-broker.ts";

const ROWS = 200_000;
const PARTITIONS = 4;
const PRODUCED_SECONDS = 40;
/** Rows of so many kinds, one of which is none. */
const KINDS = 500;
const BAD = 77;
const BAD_VALUE = '{"sepal": "wide"}';

const folder = fileFolder();
let broker: KafkaBroker;
const running = new Set<ConsumeProcess>();

beforeAll(async () => {
  broker = await KafkaBroker.start(folder);
  await broker.createTopics(["rows", "scores", "scores-dead-letter"], PARTITIONS);
});

afterAll(async () => {
  for (const one of running) await one.kill();
  await broker?.kill();
});

function features(kind: number): number[] {
  return [4 + (kind % 10) / 3, 2 + (kind % 7) / 4, 1 + (kind % 50) / 8, (kind % 20) / 8];
}

async function expectedScores(): Promise<{ readonly score: number; readonly label: string }[]> {
  const settings = { model: "iris", models: "models", devices: "cpu" };
  const scorer = await openEmbeddedScorer({ settings, environment: {}, log: silentLog });
  const kinds = Array.from({ length: KINDS }, (_, kind) => kind);
  const answers = await Promise.all(
    kinds.map((kind) => scorer.score(create(PredictRequestSchema, { features: features(kind) }))),
  );
  await scorer.close();
  return answers.map(({ scores, labels }) => ({ score: scores[0]!, label: labels[0]! }));
}

/** At an even pace, so that rows come while everything dies. */
async function produceRows(): Promise<void> {
  const producer = broker.producer();
  const step = 2000;
  const startMs = performance.now();
  for (let first = 0; first < ROWS; first += step) {
    const messages = Array.from({ length: step }, (_, at) => {
      const row = first + at;
      const kind = row % KINDS;
      const value = kind === BAD ? BAD_VALUE : JSON.stringify(features(kind));
      const key = Buffer.from(String(row));
      return {
        topic: "rows",
        partition: row % PARTITIONS,
        key,
        value: Buffer.from(value),
        headers: new Map([[Buffer.from("trace"), key]]),
      };
    });
    await producer.send({ messages });
    const dueMs = startMs + ((first + step) / ROWS) * PRODUCED_SECONDS * 1000;
    await delay(Math.max(0, dueMs - performance.now()));
  }
  await producer.close();
}

async function startMember(): Promise<ConsumeProcess> {
  const flags = ["-b", broker.address, "-i", "rows", "-o", "scores", "-g", "scorers", "-m", "iris"];
  const timeouts = ["--session-timeout-ms", "3000", "--transaction-timeout-ms", "3000"];
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
  const producing = produceRows();
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
  const left = [again, third, fourth];
  await expect
    .poll(
      async () => {
        const owned = await Promise.all(left.map((member) => member.metric("assay_consume_partitions")));
        const lags = await Promise.all(left.map((member) => member.metric("assay_consume_lag_rows")));
        const sum = (numbers: number[]) => numbers.reduce((total, one) => total + (one || 0), 0);
        return { owned: sum(owned), lag: sum(lags) };
      },
      { timeout: 60_000, interval: 500 },
    )
    .toEqual({ owned: PARTITIONS, lag: 0 });
  const codes = await Promise.all(left.map((member) => member.terminate()));
  for (const member of left) running.delete(member);
  expect(codes).toEqual([0, 0, 0]);

  const expected = await expectedScores();
  const rows = await broker.read("rows");
  const scores = await broker.read("scores");
  const dead = await broker.read("scores-dead-letter");
  // A producer may write rows twice when the broker dies, so that the topic itself says what there is to score.
  expect(new Set(rows.map(({ key }) => key)).size).toBe(ROWS);
  const isBad = ({ key }: ReadRecord) => Number(key) % KINDS === BAD;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const own = rows.filter((row) => row.partition === partition);
    const good = own.filter((row) => !isBad(row));
    expect(differences(keysOf(scores, partition), keysOf(good, partition))).toEqual([]);
    expect(differences(keysOf(dead, partition), keysOf(own.filter(isBad), partition))).toEqual([]);
    const offsets = dead.flatMap((one) => (one.partition === partition ? [one.headers] : []));
    const places = own.flatMap((row, offset) => (isBad(row) ? [`assay-offset:${offset}`] : []));
    expect(offsets.filter((headers, at) => !headers.endsWith(places[at]!))).toEqual([]);
  }
  const wrong = scores.filter(({ partition, key, value, headers }) => {
    const { score, label } = expected[Number(key) % KINDS]!;
    const one = JSON.parse(value) as { scores: number[]; labels: string[] };
    const isRight = Math.abs(one.scores[0]! - score) < 1e-6 && one.labels[0] === label;
    return !isRight || partition !== Number(key) % PARTITIONS || headers !== `trace:${key}`;
  });
  expect(wrong.slice(0, 5)).toEqual([]);
  expect(dead.filter(({ value }) => value !== BAD_VALUE)).toEqual([]);
  expect(dead.filter(({ headers }) => !headers.includes("assay-reason:INVALID_REQUEST"))).toEqual([]);
});

function keysOf(records: readonly ReadRecord[], partition: number): string[] {
  return records.flatMap((record) => (record.partition === partition ? [record.key] : []));
}

/** The first places at which two lists differ, for a message that can be read. */
function differences(found: readonly string[], wanted: readonly string[]): string[] {
  if (found.length !== wanted.length) return [`${found.length} records, ${wanted.length} expected`];
  return found
    .flatMap((key, at) => (key === wanted[at] ? [] : [`${at}: ${key}, ${wanted[at]} expected`]))
    .slice(0, 5);
}
