/** Rows of four partitions, some of which have no score, and what readers of committed scores are to see of them. */
import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import type { Producer } from "@platformatic/kafka";
import { expect } from "vitest";
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { openEmbeddedScorer } from "../../../src/scorer/embedded-scorer.ts";
import { silentLog } from "../../support/servers/silent-log.ts";
import type { ConsumeProcess } from "./consume-process.ts";
import type { KafkaBroker, ReadRecord } from "./kafka-broker.ts";

/** The partitions of each topic. */
export const PARTITIONS = 4;
/** The topics: rows, scores and dead letters. */
export const TOPICS: readonly string[] = ["rows", "scores", "scores-dead-letter"];
/** Rows of so many kinds, one of which is none. */
const KINDS = 500;
const BAD = 77;
const BAD_VALUE = '{"sepal": "wide"}';
const STEP = 2000;

function features(kind: number): number[] {
  return [4 + (kind % 10) / 3, 2 + (kind % 7) / 4, 1 + (kind % 50) / 8, (kind % 20) / 8];
}

/** Writes so many rows at an even pace, so that rows come while everything dies; closes the producer. */
export async function produceRows(
  producer: Producer<Buffer, Buffer, Buffer, Buffer>,
  rowCount: number,
  seconds: number,
): Promise<void> {
  const startMs = performance.now();
  for (let first = 0; first < rowCount; first += STEP) {
    const messages = Array.from({ length: STEP }, (_, at) => {
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
    // Apart: what the client sends together goes on as one to the leader of its first partition, also when their leaders are others by then.
    for (let partition = 0; partition < PARTITIONS; partition++)
      await producer.send({ messages: messages.filter((one) => one.partition === partition) });
    const dueMs = startMs + ((first + STEP) / rowCount) * seconds * 1000;
    await delay(Math.max(0, dueMs - performance.now()));
  }
  await producer.close();
}

/** Waits until these members own all partitions and lag behind nothing, and ends them. */
export async function finish(members: readonly ConsumeProcess[]): Promise<void> {
  const sum = (numbers: number[]) => numbers.reduce((total, one) => total + (one || 0), 0);
  await expect
    .poll(
      async () => {
        const owned = await Promise.all(members.map((one) => one.metric("assay_consume_partitions")));
        const lags = await Promise.all(members.map((one) => one.metric("assay_consume_lag_rows")));
        return { owned: sum(owned), lag: sum(lags) };
      },
      { timeout: 60_000, interval: 500 },
    )
    .toEqual({ owned: PARTITIONS, lag: 0 });
  const codes = await Promise.all(members.map((member) => member.terminate()));
  expect(codes).toEqual(members.map(() => 0));
}

/** Holds what readers of committed records see against what each row is to become. */
export async function expectExactlyOnce(broker: KafkaBroker, rowCount: number): Promise<void> {
  const [expected, rows, scores, dead] = await Promise.all([
    expectedScores(),
    ...TOPICS.map((topic) => broker.read(topic)),
  ] as [ReturnType<typeof expectedScores>, ...Promise<ReadRecord[]>[]]);
  // A producer may write rows twice when the broker dies, so that the topic itself says what there is to score.
  expect(new Set(rows!.map(({ key }) => key)).size).toBe(rowCount);
  const isBad = ({ key }: ReadRecord) => Number(key) % KINDS === BAD;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const own = rows!.filter((row) => row.partition === partition);
    const good = own.filter((row) => !isBad(row));
    expect(differences(keysOf(scores!, partition), keysOf(good, partition))).toEqual([]);
    expect(differences(keysOf(dead!, partition), keysOf(own.filter(isBad), partition))).toEqual([]);
    const offsets = dead!.flatMap((one) => (one.partition === partition ? [one.headers] : []));
    const places = own.flatMap((row, offset) => (isBad(row) ? [`assay-offset:${offset}`] : []));
    expect(offsets.filter((headers, at) => !headers.endsWith(places[at]!))).toEqual([]);
  }
  const wrong = scores!.filter(({ partition, key, value, headers }) => {
    const { score, label } = expected[Number(key) % KINDS]!;
    const one = JSON.parse(value) as { scores: number[]; labels: string[] };
    const isRight = Math.abs(one.scores[0]! - score) < 1e-6 && one.labels[0] === label;
    return !isRight || partition !== Number(key) % PARTITIONS || headers !== `trace:${key}`;
  });
  expect(wrong.slice(0, 5)).toEqual([]);
  expect(dead!.filter(({ value }) => value !== BAD_VALUE)).toEqual([]);
  expect(dead!.filter(({ headers }) => !headers.includes("assay-reason:INVALID_REQUEST"))).toEqual([]);
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

function keysOf(records: readonly ReadRecord[], partition: number): string[] {
  return records.flatMap((record) => (record.partition === partition ? [record.key] : []));
}

/** The first places at which two lists differ, for a message that can be read. */
function differences(found: readonly string[], wanted: readonly string[]): string[] {
  const told = found.length === wanted.length ? [] : [`${found.length} records, ${wanted.length} expected`];
  const places = found.flatMap((key, at) =>
    key === wanted[at] ? [] : [`${at}: ${key}, ${wanted[at]} expected`],
  );
  return [...told, ...places.slice(0, 5)];
}
