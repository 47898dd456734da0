import { expect, test } from "vitest";
import { readConsumeSettings } from "../../../src/config/consume-settings.ts";

function read(flags: Record<string, string>, environment = {}) {
  return readConsumeSettings({ flags: new Map(Object.entries(flags)), environment });
}

const ENOUGH = {
  brokers: "a:9092, b:9092",
  "input-topic": "rows",
  "output-topic": "scores",
  group: "g",
  model: "m",
};

test("defaults are filled in", () => {
  expect(read(ENOUGH)).toMatchObject({
    brokers: ["a:9092", "b:9092"],
    deadLetterTopic: "scores-dead-letter",
    delivery: "exactly-once",
    maxLingerMs: 5,
    start: "earliest",
  });
  expect(read({ ...ENOUGH, "metrics-port": "0" }).metricsPort).toBe(0);
});

test("what is missing is told at once", () => {
  expect(() => read({})).toThrow(
    /--model is missing.*\n--brokers is missing.*\n--input-topic is missing.*\n--output-topic is missing.*\n--group is missing/,
  );
});

test.each([
  [{ brokers: "localhost" }, /--brokers.* came/],
  [{ "input-topic": "scores" }, /--input-topic: rows would be read from the topic that they are written to/],
  [{ "dead-letter-topic": "scores" }, /--dead-letter-topic: scores and rows without one need topics/],
  [{ "output-topic": "a b" }, /--output-topic: "a b" came/],
  [{ delivery: "at-most-once" }, /--delivery/],
  [{ "key-file": "no-such-file" }, /--key-file needs --server/],
  [{ "sasl-mechanism": "PLAIN" }, /--sasl-mechanism needs --sasl-username/],
  [
    { "tls-ca-file": "no-such-file" },
    /--tls-ca-file needs --tls\n--tls-ca-file: no-such-file cannot be read/,
  ],
])("%j is refused", (flags, message) => {
  expect(() => read({ ...ENOUGH, ...flags })).toThrow(message);
});
