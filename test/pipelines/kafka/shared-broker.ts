/** One broker for the files that kill none: with a listener for anybody, and one that wants TLS and a password. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { KafkaBroker } from "./kafka-broker.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the shared broker answers anybody. */
    brokerAddress: string;
    /** Where it wants TLS, with the certificate `test/fixtures/tls/localhost-cert.pem`, and the user `scorer`. */
    securedAddress: string;
  }
}

/** The password of the user `scorer`. */
export const PASSWORD = "a password of = signs";

/** Starts it before the first file, and ends it after the last. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "assay-test-"));
  const keystore = join(folder, "keystore.pem");
  const pem = (name: string) => readFileSync(join("test/fixtures/tls", `${name}.pem`), "utf8");
  writeFileSync(keystore, pem("localhost-key") + pem("localhost-cert"));
  let securedPort = 0;
  const listener = "listener.name.sasl_ssl";
  const module = "org.apache.kafka.common.security";
  const properties = {
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
    [`${listener}.ssl.keystore.type`]: "PEM",
    [`${listener}.ssl.keystore.location`]: keystore,
    [`${listener}.sasl.enabled.mechanisms`]: "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    [`${listener}.plain.sasl.jaas.config`]: `${module}.plain.PlainLoginModule required user_scorer="${PASSWORD}";`,
    [`${listener}.scram-sha-256.sasl.jaas.config`]: `${module}.scram.ScramLoginModule required;`,
    [`${listener}.scram-sha-512.sasl.jaas.config`]: `${module}.scram.ScramLoginModule required;`,
  };
  const users = ["SCRAM-SHA-256", "SCRAM-SHA-512"].map(
    (name) => `--add-scram=${name}=[name=scorer,password="${PASSWORD}"]`,
  );
  const broker = await KafkaBroker.start(folder, (own) => {
    securedPort = own + 2;
    const addresses = {
      listeners: `PLAINTEXT://127.0.0.1:${own},CONTROLLER://127.0.0.1:${own + 1},SASL_SSL://127.0.0.1:${securedPort}`,
      "advertised.listeners": `PLAINTEXT://127.0.0.1:${own},SASL_SSL://127.0.0.1:${securedPort}`,
    };
    const all = Object.entries({ ...properties, ...addresses });
    return [...users, ...all.map(([name, value]) => `${name}=${value}`)];
  });
  project.provide("brokerAddress", broker.address);
  project.provide("securedAddress", `127.0.0.1:${securedPort}`);
  return async () => {
    await broker.kill();
    rmSync(folder, { recursive: true, force: true });
  };
}
