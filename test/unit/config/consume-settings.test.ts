import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readConsumeSettings } from "../../../src/config/consume-settings.ts";
import { strayVariables } from "../../../src/config/stray-variables.ts";
import { testFolder } from "../../support/folders.ts";

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
  [{ "sasl-mechanism": "PLAIN" }, /--sasl-mechanism needs --sasl-username, and .* ASSAY_SASL_PASSWORD/],
  [{ "sasl-username": "u" }, /--sasl-username needs --sasl-mechanism/],
  [{ "sasl-mechanism": "GSSAPI" }, /--sasl-mechanism/],
  [{ tls: "true", "tls-cert-file": "package.json" }, /--tls-cert-file and --tls-key-file come together/],
  [{ tls: "true", "tls-ca-file": "package.json" }, /--tls-ca-file: package.json is no PEM certificates/],
  [{ "metadata-max-age-ms": "1" }, /--metadata-max-age-ms/],
  [
    { "tls-ca-file": "no-such-file" },
    /--tls-ca-file needs --tls\n--tls-ca-file: no-such-file cannot be read/,
  ],
])("%j is refused", (flags, message) => {
  expect(() => read({ ...ENOUGH, ...flags })).toThrow(message);
});

test("the password is the file's, else the variable's, and no message holds it", () => {
  const file = join(testFolder(), "password");
  writeFileSync(file, "of the file\n");
  const asked = { ...ENOUGH, "sasl-mechanism": "SCRAM-SHA-512", "sasl-username": "u" };
  const environment = { ASSAY_SASL_PASSWORD: "of the variable" };
  expect(read(asked, environment).saslPassword).toBe("of the variable");
  expect(read({ ...asked, "sasl-password-file": file }, environment).saslPassword).toBe("of the file");
  expect(strayVariables(environment)).toEqual([]);
  writeFileSync(file, "\n");
  expect(() => read({ ...asked, "sasl-password-file": file }, environment)).toThrow(
    `--sasl-password-file: ${file} is empty; a password is expected`,
  );
});

test("without --tls there is none, and with it alone the machine's authorities are trusted", () => {
  expect(read(ENOUGH).tlsTexts).toBeUndefined();
  expect(read({ ...ENOUGH, tls: "true" }).tlsTexts).toEqual({
    ca: undefined,
    cert: undefined,
    key: undefined,
  });
});
