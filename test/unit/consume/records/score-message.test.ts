import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { PredictResponseSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { messageBatches } from "../../../../src/consume/brokers/score-sink.ts";
import type { OutputMessage } from "../../../../src/consume/records/input-record.ts";
import {
  lesserMessage,
  type MessageForm,
  outcomeMessage,
  scoresJson,
} from "../../../../src/consume/records/score-message.ts";

const FORM: MessageForm = { outputTopic: "out", deadLetterTopic: "dead", format: "json", schemaId: 0 };
const FROM = { topic: "in", partition: 3 };
const RECORD = {
  offset: 12n,
  timestamp: 99n,
  key: Buffer.from("k"),
  value: Buffer.from("v"),
  headers: [
    [Buffer.from("h"), Buffer.from("1")],
    [Buffer.from("h"), Buffer.from("2")],
  ] as const,
};
const SCORES = {
  modelName: "m",
  modelVersion: "1",
  requestId: "",
  scores: [0.5],
  labels: ["a"],
  outputs: [],
};
const scored = (frame?: Buffer) => ({ kind: "scored", response: SCORES, frame }) as const;
const shownHeaders = (headers: ReadonlyMap<Buffer, Buffer>) =>
  [...headers].map(([name, text]) => `${name}=${text}`);

test("a score has the row's key, partition, time and headers, also two of one name", () => {
  const message = outcomeMessage(RECORD, scored(), FROM, FORM);
  expect(message).toMatchObject({ topic: "out", partition: 3, timestamp: 99n, key: RECORD.key });
  expect(shownHeaders(message.headers)).toEqual(["h=1", "h=2"]);
  expect(JSON.parse(String(message.value))).toEqual({
    model_name: "m",
    model_version: "1",
    scores: [0.5],
    labels: ["a"],
  });
});

test("a schema id is kept, or another put in its place; protobuf has the path of its type behind it", () => {
  const frame = Buffer.of(0, 0, 0, 0, 9, 0);
  expect(outcomeMessage(RECORD, scored(frame.subarray(0, 5)), FROM, FORM).value!.subarray(0, 6)).toEqual(
    Buffer.of(0, 0, 0, 0, 9, 0x7b),
  );
  const form = { ...FORM, format: "protobuf" } as const;
  for (const [head, own] of [
    [frame, form],
    [frame.subarray(0, 5), form],
  ] as const) {
    // biome-ignore format: pairs
    const { value } = outcomeMessage(RECORD, scored(head), FROM, own);
    expect(value!.subarray(0, 6)).toEqual(frame);
    expect(fromBinary(PredictResponseSchema, value!.subarray(6))).toMatchObject({ scores: [0.5] });
  }
  const replaced = outcomeMessage(RECORD, scored(), FROM, { ...FORM, schemaId: 258 });
  expect(replaced.value!.subarray(0, 6)).toEqual(Buffer.of(0, 0, 0, 1, 2, 0x7b));
});

test("a dead letter is the row as it came, with the reason, field and place beside its headers", () => {
  const refusal = { reason: "INVALID_REQUEST", field: "features[2]", message: "what" };
  const message = outcomeMessage(RECORD, { kind: "refused", refusal }, FROM, FORM);
  expect(message).toMatchObject({ topic: "dead", partition: 3, key: RECORD.key, value: RECORD.value });
  expect(shownHeaders(message.headers)).toEqual([
    "h=1",
    "h=2",
    "assay-reason=INVALID_REQUEST",
    "assay-field=features[2]",
    "assay-message=what",
    "assay-topic=in",
    "assay-partition=3",
    "assay-offset=12",
  ]);
});

test("a deleted row deletes its score", () => {
  expect(outcomeMessage(RECORD, { kind: "deleted" }, FROM, FORM)).toMatchObject({
    topic: "out",
    value: null,
  });
});

test("scores that JSON has no number for are texts", () => {
  expect(JSON.parse(scoresJson({ ...SCORES, scores: [Number.NaN] }))).toMatchObject({ scores: ["NaN"] });
});

test("messages are sent in batches that a broker takes", () => {
  const message = outcomeMessage(
    { ...RECORD, value: Buffer.alloc(300_000) },
    { kind: "refused", refusal: { reason: "", field: "", message: "" } },
    FROM,
    FORM,
  );
  expect(messageBatches([message, message, message], 700_000).map(({ length }) => length)).toEqual([2, 1]);
  expect(messageBatches([], 700_000)).toEqual([]);
});

test("a row whose messages are refused becomes less and less, and at last only where it is", () => {
  const lesser = (message: OutputMessage, name = "MESSAGE_TOO_LARGE") =>
    lesserMessage(RECORD, message, { name, topic: message.topic, bytes: 123 }, FROM, FORM);
  const score = outcomeMessage(RECORD, scored(), FROM, FORM);
  const dead = lesser(score)!;
  expect(dead).toMatchObject({ topic: "dead", key: RECORD.key, value: RECORD.value, timestamp: 99n });
  expect(shownHeaders(dead.headers).slice(2, 5)).toEqual([
    "assay-reason=MESSAGE_TOO_LARGE",
    "assay-field=",
    "assay-message=the score takes 123 bytes, which the topic out does not: raise its max.message.bytes",
  ]);
  const valueless = lesser(dead)!;
  expect(valueless).toMatchObject({ key: RECORD.key, value: null });
  expect(shownHeaders(valueless.headers)).toEqual([...shownHeaders(dead.headers), "assay-value-bytes=1"]);
  const bare = lesser(valueless)!;
  expect([String(bare.key), bare.value?.length]).toEqual(["in-3-12", 0]);
  expect(Number(bare.timestamp)).toBeGreaterThan(1_700_000_000_000);
  expect(shownHeaders(bare.headers)).toEqual(shownHeaders(valueless.headers).slice(2));
  expect(lesser(bare)).toBeUndefined();
  expect(shownHeaders(lesser(score, "INVALID_RECORD")!.headers)).toContain("assay-reason=INVALID_REQUEST");
});
