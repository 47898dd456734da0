/** Brokers that want TLS and a password, with a real one: what is let in, and what a person is told who is not. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test } from "vitest";
import { fileFolder } from "../../support/folders.ts";
import { type ConsumeProcess, startConsume } from "./consume-process.ts";
import { KafkaBroker } from "./kafka-broker.ts";
import { PASSWORD } from "./shared-broker.ts";

const CA = "test/fixtures/tls/localhost-cert.pem";
const folder = fileFolder();
const broker = KafkaBroker.at(inject("brokerAddress"));
const TOPICS = ["secured", "secured-scores", "secured-scores-dead-letter"];
let groups = 0;

beforeAll(async () => {
  await broker.createTopics(TOPICS, 1);
  const producer = broker.producer();
  await producer.send({
    messages: [{ topic: "secured", partition: 0, value: Buffer.from("[5, 3, 1, 0.2]") } as never],
  });
  await producer.close();
});

function passwordFile(password: string): string {
  const file = join(folder, `password-${password.length}`);
  writeFileSync(file, `${password}\n`);
  return file;
}

function start(address: string, ...flags: string[]): Promise<ConsumeProcess> {
  const names = ["-b", address, "-i", "secured", "-o", "secured-scores", "-m", "iris"];
  return startConsume(...names, "-g", `secured-${++groups}`, ...flags);
}

const asUser = (mechanism: string, password: string) => [
  ...["--sasl-mechanism", mechanism, "--sasl-username", "scorer"],
  ...["--sasl-password-file", passwordFile(password)],
];

test.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])(
  "rows are scored over TLS by a user with %s, and no line holds the password",
  async (mechanism) => {
    const address = inject("securedAddress");
    const member = await start(address, "--tls", "--tls-ca-file", CA, ...asUser(mechanism, PASSWORD));
    try {
      await expect.poll(() => member.metric("assay_consume_rows_total"), { timeout: 20_000 }).toBe(1);
    } finally {
      expect(await member.terminate()).toBe(0);
    }
    expect(member.logText).not.toContain(PASSWORD);
  },
);

const TRUSTED = ["--tls", "--tls-ca-file", CA];
test.each([
  [
    "a wrong password",
    [...TRUSTED, ...asUser("SCRAM-SHA-512", "wrong")],
    /they refuse the user "scorer": is its password right, and was it made for SCRAM-SHA-512\?/,
  ],
  [
    "a wrong password of PLAIN",
    [...TRUSTED, ...asUser("PLAIN", "wrong")],
    /they refuse the user "scorer": is its password right, and was it made for PLAIN\?/,
  ],
  [
    "another authority",
    ["--tls", "--tls-ca-file", "test/fixtures/tls/next-cert.pem", ...asUser("PLAIN", PASSWORD)],
    /their certificate is of no authority that test\/fixtures\/tls\/next-cert\.pem holds .*--tls-ca-file is to hold the one that signed it/,
  ],
  ["no TLS", asUser("PLAIN", PASSWORD), /they speak TLS at this port: say --tls|they hang up: .* --tls\?/],
  ["no user", TRUSTED, /they hang up: does this listener want .*--sasl-mechanism/],
])("%s is told in plain words, and at once", async (_, flags, said) => {
  const failed = await start(inject("securedAddress"), ...flags).then(
    () => "it started",
    (error: Error) => error.message,
  );
  expect(failed).toMatch(said);
  expect(failed).toMatch(
    /^it ended with \d+: assay consume: the brokers .* cannot be asked about the topic secured: /,
  );
  expect(failed).not.toContain(PASSWORD);
});

test("TLS at a port that speaks none is told", async () => {
  await expect(start(inject("brokerAddress"), "--tls")).rejects.toThrow(
    /they do not speak TLS at this port: name another one, or leave --tls out/,
  );
});
