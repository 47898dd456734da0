/** Values, frames, deleted rows, delivery and the server's absence, with a real broker; several at once, for most wait for it. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Consumer } from "@platformatic/kafka";
import { inject, type TestContext, test } from "vitest";
import { PredictRequestSchema, PredictResponseSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { freePort, startServerProcess } from "../../support/servers/server-process.ts";
import { type ConsumeProcess, startConsume } from "./consume-process.ts";
import { KafkaBroker } from "./kafka-broker.ts";

const broker = KafkaBroker.at(inject("brokerAddress"));
let topics = 0;

interface Sent {
  readonly key?: string;
  readonly value: Buffer | string | null;
  readonly timestamp?: bigint;
  readonly partition?: number;
}

/** Topics of one partition; `configs` are of those that are written to. */
async function freshTopics(configs: Record<string, string> = {}): Promise<string> {
  const name = `values${++topics}`;
  await broker.createTopics([name], 1, { configs: { "max.message.bytes": "4000000" } });
  await broker.createTopics([`${name}-scores`, `${name}-scores-dead-letter`], 1, { configs });
  return name;
}

async function send(topic: string, rows: readonly Sent[]): Promise<void> {
  const producer = broker.producer();
  const messages = rows.map(({ key, value, timestamp, partition = 0 }) => ({
    topic,
    partition,
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
    value: (typeof value === "string" ? Buffer.from(value) : value) as Buffer,
    ...(timestamp === undefined ? {} : { timestamp }),
  }));
  await producer.send({ messages });
  await producer.close();
}

async function consume(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  topic: string,
  ...flags: string[]
): Promise<ConsumeProcess> {
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

test.concurrent("each form of a value is scored alike, and frame, key and time stay", async (context) => {
  const { expect } = context;
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
  const member = await consume(context, topic);
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

test.concurrent("a topic that is gone makes it unready, with what to do, until it is there again", async (context) => {
  const { expect, onTestFinished } = context;
  const topic = await freshTopics();
  const member = await consume(context, topic);
  const admin = broker.admin();
  onTestFinished(() => admin.close());
  await admin.deleteTopics({ topics: [`${topic}-scores`] });
  await send(topic, [{ key: "0", value: "[5, 3, 1, 0.2]" }]);
  await expect
    .poll(() => member.probe("/readyz"), { timeout: 60_000 })
    .toMatchObject({ status: 503, text: expect.stringContaining("scores cannot be written") });
  await broker.createTopics([`${topic}-scores`], 1);
  await expect.poll(() => member.metric("assay_consume_rows_total"), { timeout: 60_000 }).toBe(1);
  expect(await member.probe("/readyz")).toMatchObject({ status: 200 });
  expect(await member.terminate()).toBe(0);
});

test.concurrent("scores in protobuf have the row's frame, or the schema id that is asked for", async (context) => {
  const { expect } = context;
  const topic = await freshTopics();
  await send(topic, [{ value: REQUEST }, { value: Buffer.concat([FRAME, Buffer.of(2, 0), REQUEST]) }]);
  await consume(context, topic, "--output-format", "protobuf");
  const [bare, framed] = await readRaw(`${topic}-scores`, 2);
  expect(fromBinary(PredictResponseSchema, bare!.value!)).toMatchObject({ labels: ["setosa"] });
  expect(framed!.value!.subarray(0, 7)).toEqual(Buffer.concat([FRAME, Buffer.of(2, 0)]));
  expect(fromBinary(PredictResponseSchema, framed!.value!.subarray(7))).toMatchObject({ labels: ["setosa"] });
});

test.concurrent("without transactions every row has its score, and the group goes on where it was left", async (context) => {
  const { expect } = context;
  const topic = await freshTopics();
  const rows = (from: number) =>
    Array.from({ length: 3000 }, (_, at) => ({ key: String(from + at), value: "[5, 3, 1, 0.2]" }));
  await send(topic, rows(0));
  const first = await consume(context, topic, "--delivery", "at-least-once");
  await expect.poll(() => first.metric("assay_consume_rows_total"), { timeout: 20_000 }).toBe(3000);
  expect(await first.terminate()).toBe(0);
  await send(topic, rows(3000));
  const second = await consume(context, topic, "--delivery", "at-least-once");
  await expect.poll(() => second.metric("assay_consume_rows_total"), { timeout: 20_000 }).toBe(3000);
  expect(await second.terminate()).toBe(0);
  const keys = (await broker.read(`${topic}-scores`)).map(({ key }) => Number(key));
  expect(keys).toEqual(Array.from({ length: 6000 }, (_, at) => at));
});

test.concurrent("rows wait for a server that is away, in their order, and a row that cannot be scored holds nobody", async (context) => {
  const { expect } = context;
  const topic = await freshTopics();
  const port = await freePort();
  const flags = ["--port", String(port)];
  const server = await startServerProcess("models", ...flags);
  const member = await consume(context, topic, "--server", server.url);
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

test.concurrent.for(["exactly-once", "at-least-once"])(
  "%s: what a topic does not take is a dead letter, and holds nobody",
  async (delivery, context) => {
    const { expect } = context;
    const topic = await freshTopics({ "max.message.bytes": "20000" });
    const large = "x".repeat(50_000);
    const rows = Array.from({ length: 2000 }, (_, at) => ({ key: String(at), value: "[5, 3, 1, 0.2]" }));
    rows[700] = { key: "700", value: JSON.stringify({ features: FEATURES, request_id: large }) };
    rows[1300] = { key: "1300", value: JSON.stringify({ wide: large }) };
    await send(topic, rows);
    const member = await consume(context, topic, "--delivery", delivery);
    await expect.poll(() => member.metric("assay_consume_rows_total"), { timeout: 30_000 }).toBe(2000);
    expect(await member.metric("assay_consume_dead_letters_total")).toBe(2);
    expect(await member.probe("/readyz")).toMatchObject({ status: 200 });
    expect(await member.terminate()).toBe(0);
    const scores = (await broker.read(`${topic}-scores`)).map(({ key }) => Number(key));
    expect([...new Set(scores)]).toEqual(rows.map((_, at) => at).filter((at) => at !== 700 && at !== 1300));
    if (delivery === "exactly-once") expect(scores).toHaveLength(1998);
    const dead = await broker.read(`${topic}-scores-dead-letter`);
    const found = new Map(dead.map(({ key, value, headers }) => [key, { value, headers }]));
    expect([...found.keys()].sort()).toEqual(["1300", "700"]);
    expect(found.get("700")).toEqual({
      value: "null",
      headers: expect.stringMatching(
        /assay-reason:MESSAGE_TOO_LARGE,.*the score takes \d+ bytes.*assay-offset:700,assay-value-bytes:50\d\d\d/,
      ),
    });
    expect(found.get("1300")).toEqual({
      value: "null",
      headers: expect.stringMatching(
        /assay-reason:INVALID_REQUEST,.*assay-offset:1300,assay-value-bytes:50\d\d\d/,
      ),
    });
  },
);

test.concurrent("rows without a key for a compacted topic are dead letters", async (context) => {
  const { expect, onTestFinished } = context;
  const topic = await freshTopics();
  const compacted = `${topic}-compacted`;
  await broker.createTopics([compacted], 1, { configs: { "cleanup.policy": "compact" } });
  await send(topic, [{ value: "[5, 3, 1, 0.2]" }, { key: "1", value: "[5, 3, 1, 0.2]" }]);
  const names = ["-b", broker.address, "-i", topic, "-o", compacted, "-g", topic, "-m", "iris"];
  const member = await startConsume(...names, "--dead-letter-topic", `${topic}-scores-dead-letter`);
  onTestFinished(() => member.kill());
  await expect.poll(() => member.metric("assay_consume_rows_total"), { timeout: 20_000 }).toBe(2);
  expect(await member.terminate()).toBe(0);
  expect((await broker.read(compacted)).map(({ key }) => key)).toEqual(["1"]);
  const [dead] = await broker.read(`${topic}-scores-dead-letter`);
  expect(dead).toMatchObject({
    value: "[5, 3, 1, 0.2]",
    headers: expect.stringContaining("does not take the score: INVALID_RECORD"),
  });
});

test.concurrent("a partition that the topic is given later is noticed, shared and read", async (context) => {
  const { expect, onTestFinished } = context;
  const topic = await freshTopics();
  const flags = ["--metadata-max-age-ms", "1000"];
  const members = [await consume(context, topic, ...flags), await consume(context, topic, ...flags)];
  const owned = () => Promise.all(members.map((member) => member.metric("assay_consume_partitions")));
  await expect.poll(async () => (await owned()).sort(), { timeout: 20_000 }).toEqual([0, 1]);
  const admin = broker.admin();
  onTestFinished(() => admin.close());
  await admin.createPartitions({ topics: [{ name: topic, count: 2, assignments: [{ brokerIds: [1] }] }] });
  await expect.poll(owned, { timeout: 20_000 }).toEqual([1, 1]);
  await send(topic, [{ key: "late", value: "[5, 3, 1, 0.2]", partition: 1 }]);
  const rows = () => Promise.all(members.map((member) => member.metric("assay_consume_rows_total")));
  await expect.poll(async () => (await rows()).sort(), { timeout: 20_000 }).toEqual([0, 1]);
  for (const member of members) expect(await member.terminate()).toBe(0);
});

test.concurrent("a topic that is not there is told with the command that makes it", async (context) => {
  const { expect } = context;
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
