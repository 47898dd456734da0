/**
 * A store that speaks TLS alone, with a certificate that no authority of the machine vouches for: Redis, since the Valkey of
 * `scripts/setup-tools.sh` is built without TLS.
 */
import { copyFileSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../../src/cli/command.ts";
import { censusPeople } from "../../support/features/census-people.ts";
import { fileFolder } from "../../support/folders.ts";
import { startAppServer } from "../../support/servers/app-server.ts";
import { StoreProcess } from "./store-process.ts";

const CERTIFICATE = {
  cert: resolve("test/fixtures/tls/localhost-cert.pem"),
  key: resolve("test/fixtures/tls/localhost-key.pem"),
};
const folder = fileFolder();

describe.each(["redis-server"])("%s", (command) => {
  let store: StoreProcess;
  const own = join(folder, command);

  beforeAll(async () => {
    mkdirSync(own);
    store = await StoreProcess.start(command, own, CERTIFICATE);
  });
  afterAll(() => store?.kill());

  test("is filled and looked up in over TLS, with the certificates that the model's folder holds", async () => {
    const redis = { url: store.url, tls_ca_file: "store-ca.pem" };
    const people = await censusPeople(own, { redis, timeout_ms: 2_000 }, 50);
    copyFileSync(CERTIFICATE.cert, join(people.models, "census/1/store-ca.pem"));
    const load = ["features", "load", people.table, "--key", "person_id", "--to", store.url];
    expect(await runCommand(load)).toBe(1);
    expect(await runCommand([...load, "--tls-ca-file", CERTIFICATE.cert])).toBe(0);
    const server = await startAppServer(people.models);
    try {
      const response = await fetch(`${server.url}/predict/census`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ rows: [people.brought.get(1), people.brought.get(2)] }),
      });
      expect((await response.json()) as object).toMatchObject({
        scores: [people.scores.get(1), people.scores.get(2)],
      });
    } finally {
      await server.app.close();
    }
  });

  test("whose certificate is not trusted is unavailable, and says why", async () => {
    const other = join(own, "other");
    mkdirSync(other);
    const redis = { url: store.url, tls_ca_file: resolve("test/fixtures/tls/next-cert.pem") };
    const people = await censusPeople(other, { redis, timeout_ms: 2_000 }, 5);
    const server = await startAppServer(people.models);
    try {
      const response = await fetch(`${server.url}/predict/census`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ rows: [people.brought.get(1)] }),
      });
      expect(response.status).toBe(503);
      expect(await response.text()).toMatch(/FEATURES_UNAVAILABLE/);
    } finally {
      await server.app.close();
    }
  });
});
