/** Values, frames, deleted rows, delivery and the server's absence, with a real broker. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Consumer } from "@platformatic/kafka";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { PredictRequestSchema, PredictResponseSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { fileFolder } from "../../support/folders.ts";
import { freePort, startServerProcess } from "../../support/servers/server-process.ts";
import { type ConsumeProcess, startConsume } from "./consume-process.ts";
import { KafkaBroker } from "./kafka-broker.ts";

const folder = fileFolder();
let broker: KafkaBroker;
let topics = 0;

beforeAll(async () => {
  broker = await KafkaBroker.start(folder);
});

afterAll(() => broker?.kill());

interface Sent {
  readonly key?: string;
  readonly value: Buffer | string | null;
  readonly timestamp?: bigint;
}

async function freshTopics(): Promise<string> {
  const name = `rows${++topics}`;
  await broker.createTopics([name, `${name}-scores`, `${name}-scores-dead-letter`], 1);
  return name;
}

async function send(topic: string, rows: readonly Sent[]): Promise<void> {
  const producer = broker.producer();
  const messages = rows.map(({ key, value, timestamp }) => ({
    topic,
    partition: 0,
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
    value: (typeof value === "string" ? Buffer.from(value) : value) as Buffer,
    ...(timestamp === undefined ? {} : { timestamp }),
  }));
  await producer.send({ messages });
  await producer.close();
}

async function consume(topic: string, ...flags: string[]): Promise<ConsumeProcess> {
  const names = ["-b", broker.address, "-i", topic, "-o", `${topic}-scores`, "-g", topic];
  const member = await startConsume(...names, "-m", "iris", ...flags);
  onTestFinished(() => member.kill());
  return member;
}

/** Octets of so many records. */
async function readRaw(topic: string, count: number) {
  const consumer = new Consumer({
    clientId: "test",
    groupId: `read-${topic}`,
    bootstrapBrokers: [broker.address],
  });
  const stream = await consumer.consume({
    topics: [topic],
    mode: "earliest",
    autocommit: false,
    isolationLevel: 1,
  });
  const found = [];
  for await (const { key, value, timestamp } of stream) {
    found.push({ key: String(key), value: value as Buffer | null, timestamp });
    if (found.length === count) break;
  }
  await consumer.close(true);
  return found;
}

const FEATURES = [5.1, 3.5, 1.4, 0.2];
const REQUEST = Buffer.from(
  toBinary(PredictRequestSchema, create(PredictRequestSchema, { features: FEATURES })),
);
const FRAME = Buffer.of(0, 0, 0, 0, 42);
const PATH = Buffer.of(0);

test("each form of a value is scored alike, and frame, key and time stay", async () => {
  const topic = await freshTopics();
  const json = JSON.stringify(FEATURES);
  await send(topic, [
    { key: "array", value: json, timestamp: 1_700_000_000_000n },
    { key: "request", value: JSON.stringify({ features: FEATURES, request_id: "r" }) },
    { key: "protobuf", value: REQUEST },
    { key: "framed json", value: Buffer.concat([FRAME, Buffer.from(json)]) },
    { key: "framed protobuf", value: Buffer.concat([FRAME, PATH, REQUEST]) },
    { key: "deleted", value: null },
    { value: null },
    { key: "row", value: '{"sepal_length": 5.1}' },
    { key: "wide", value: "[1, 2, 3, 4, 5]" },
  ]);
  const member = await consume(topic);
  const scores = await readRaw(`${topic}-scores`, 6);
  expect(scores.map(({ key }) => key)).toEqual([
    "array",
    "request",
    "protobuf",
    "framed json",
    "framed protobuf",
    "deleted",
  ]);
  expect(scores[0]!.timestamp).toBe(1_700_000_000_000n);
  expect(scores[5]!.value?.length ?? 0).toBe(0);
  const bodies = scores
    .slice(0, 5)
    .map(({ value }, at) => JSON.parse(String(at < 3 ? value : value!.subarray(5))));
  for (const { request_id, ...body } of bodies) {
    expect(body).toEqual({
      model_name: "iris",
      model_version: "1",
      scores: [expect.any(Number)],
      labels: ["setosa"],
    });
  }
  expect(bodies[1].request_id).toBe("r");
  expect(scores[3]!.value!.subarray(0, 5)).toEqual(FRAME);
  const dead = await broker.read(`${topic}-scores-dead-letter`);
  expect(dead.map(({ key, headers }) => [key, /assay-field:([^,]*)/.exec(headers)?.[1]])).toEqual([
    ["null", ""],
    ["row", "rows"],
    ["wide", "features"],
  ]);
  expect(await member.metric("assay_consume_dead_letters_total")).toBe(3);
  expect(await member.probe("/readyz")).toMatchObject({ status: 200 });
  expect(await member.terminate()).toBe(0);
});

test("scores in protobuf have the row's frame, or the schema id that is asked for", async () => {
  const topic = await freshTopics();
  await send(topic, [{ value: REQUEST }, { value: Buffer.concat([FRAME, Buffer.of(2, 0), REQUEST]) }]);
  await consume(topic, "--output-format", "protobuf");
  const [bare, framed] = await readRaw(`${topic}-scores`, 2);
  expect(fromBinary(PredictResponseSchema, bare!.value!)).toMatchObject({ labels: ["setosa"] });
  expect(framed!.value!.subarray(0, 7)).toEqual(Buffer.concat([FRAME, Buffer.of(2, 0)]));
  expect(fromBinary(PredictResponseSchema, framed!.value!.subarray(7))).toMatchObject({ labels: ["setosa"] });
});

test("without transactions every row has its score, and the group goes on where it was left", async () => {
  const topic = await freshTopics();
  const rows = (from: number) =>
    Array.from({ length: 3000 }, (_, at) => ({ key: String(from + at), value: "[5, 3, 1, 0.2]" }));
  await send(topic, rows(0));
  const first = await consume(topic, "--delivery", "at-least-once");
  await expect.poll(() => first.metric("assay_consume_rows_total"), { timeout: 20_000 }).toBe(3000);
  expect(await first.terminate()).toBe(0);
  await send(topic, rows(3000));
  const second = await consume(topic, "--delivery", "at-least-once");
  await expect.poll(() => second.metric("assay_consume_rows_total"), { timeout: 20_000 }).toBe(3000);
  expect(await second.terminate()).toBe(0);
  const keys = (await broker.read(`${topic}-scores`)).map(({ key }) => Number(key));
  expect(keys).toEqual(Array.from({ length: 6000 }, (_, at) => at));
});

test("rows wait for a server that is away, in their order, and a row that cannot be scored holds nobody", async () => {
  const topic = await freshTopics();
  const port = await freePort();
  const flags = ["--port", String(port)];
  const server = await startServerProcess("models", ...flags);
  const member = await consume(topic, "--server", server.url);
  await send(topic, [{ key: "0", value: "[5, 3, 1, 0.2]" }]);
  await expect.poll(() => member.metric("assay_consume_rows_total"), { timeout: 20_000 }).toBe(1);
  await server.kill();
  const values = Array.from({ length: 2000 }, (_, at) => (at === 7 ? "[1]" : "[5, 3, 1, 0.2]"));
  await send(
    topic,
    values.map((value, at) => ({ key: String(at + 1), value })),
  );
  await expect.poll(() => member.metric("assay_consume_lag_rows"), { timeout: 20_000 }).toBe(2000);
  const again = await startServerProcess("models", ...flags);
  await expect.poll(() => member.metric("assay_consume_rows_total"), { timeout: 30_000 }).toBe(2001);
  expect(await member.terminate()).toBe(0);
  await again.terminate();
  const keys = (await broker.read(`${topic}-scores`)).map(({ key }) => Number(key));
  expect(keys).toEqual(Array.from({ length: 2001 }, (_, at) => at).filter((at) => at !== 8));
});

test("a topic that is not there is told with the command that makes it", async () => {
  const starting = startConsume(
    "-b",
    broker.address,
    "-i",
    "none",
    "-o",
    "none-scores",
    "-g",
    "none",
    "-m",
    "iris",
  );
  await expect(starting).rejects.toThrow(
    /it ended with 2: assay consume: the brokers have no topic none and no topic none-scores and no topic none-scores-dead-letter; make it with .*--topic none/,
  );
});
