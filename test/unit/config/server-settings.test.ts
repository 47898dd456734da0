import { expect, test } from "vitest";
import { FLAGS } from "../../../src/config/flag-table.ts";
import { readServerSettings } from "../../../src/config/server-settings.ts";

const none = { flags: new Map<string, string>(), environment: {} };

test("defaults are those of the design", () => {
  expect(readServerSettings(none)).toMatchObject({
    host: "127.0.0.1",
    port: 8080,
    devices: "auto",
    maxBatchSize: 256,
    maxQueueDelayMicroseconds: 0,
    maxQueueRows: 8192,
    maxQueueBytes: 67108864n,
    maxMessageBytes: 16777216,
    maxHeaderListBytes: 16384,
    callTimeoutMs: 60000,
    runTimeoutMs: 30000,
    drainTimeoutMs: 10000,
    maxConcurrentStreams: 1000,
    corsOrigins: ["*"],
    streamWindowBytes: 4194304,
    streamWindowRows: 4096,
    strictReadiness: false,
  });
});

test("a flag wins over the environment, the environment over the file, the file over the default", () => {
  const configFile = { name: "assay.json", text: '{"port": 1, "max_batch_size": 2, "maxQueueRows": 3}' };
  const environment = { ASSAY_PORT: "4", ASSAY_MAX_BATCH_SIZE: "5" };
  const settings = readServerSettings({ flags: new Map([["port", "6"]]), environment, configFile });
  expect(settings).toMatchObject({ port: 6, maxBatchSize: 5, maxQueueRows: 3, host: "127.0.0.1" });
});

test("every problem is told at once, with where it came from", () => {
  const sources = {
    flags: new Map([
      ["port", "99999"],
      ["devices", "gpu"],
      ["tls-cert", "a.pem"],
    ]),
    environment: { ASSAY_MAX_BATCH_SIZE: "lots" },
    configFile: { name: "assay.json", text: '{"max_queue_row": 3, "call_timeout_ms": "x"}' },
  };
  expect(() => readServerSettings(sources)).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(
        /no setting is called "max_queue_row"; did you mean "max_queue_rows"\?[\s\S]*call_timeout_ms[\s\S]*ASSAY_MAX_BATCH_SIZE: "lots" came[\s\S]*--port: "99999" must be less than[\s\S]*--devices: "gpu"[\s\S]*--tls-cert needs --tls-key/,
      ),
    }),
  );
});

test("a value from the file or the environment is blamed on where it stands, not on the flag", () => {
  const sources = {
    flags: new Map<string, string>(),
    environment: { ASSAY_TLS_CLIENT_CA: "ca.pem" },
    configFile: { name: "assay.json", text: '{"tls_key": "key.pem", "port": 99999}' },
  };
  const message = expect.stringMatching(
    /^port in assay\.json: "99999" must be less than.*\ntls_key in assay\.json needs --tls-cert\nASSAY_TLS_CLIENT_CA needs --tls-cert and --tls-key$/,
  );
  expect(() => readServerSettings(sources)).toThrow(expect.objectContaining({ message }));
});

test("a port that Kubernetes sets for a Service named assay is no setting", () => {
  const environment = { ASSAY_PORT: "tcp://10.0.171.239:8080" };
  expect(readServerSettings({ ...none, environment })).toMatchObject({ port: 8080 });
});

test("every field of the schema has a flag, and no flag two fields", () => {
  expect(new Set(FLAGS.map((row) => row.name)).size).toBe(FLAGS.length);
  expect(FLAGS.every((row) => row.help !== "")).toBe(true);
});

function problemsOf(flags: Record<string, string>): string {
  try {
    readServerSettings({ ...none, flags: new Map(Object.entries(flags)) });
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

test("what has to be of a form is told in words, and what is no number once", () => {
  expect(problemsOf({ devices: "gpu", "max-batch-size": "lots" })).toBe(
    '--max-batch-size: "lots" came; a whole number is expected\n' +
      '--devices: "gpu" came; expected: auto, cpu, cpu:2 (two instances), cuda:0,1 or webgpu:0 (device numbers)',
  );
});

test("origins that no browser sends are refused, since they would never match", () => {
  const origins = "https://example.com,http://localhost:3000,chrome-extension://abc,null";
  expect(problemsOf({ "cors-origins": origins })).toBe("");
  expect(problemsOf({ "cors-origins": "*" })).toBe("");
  for (const wrong of [
    "example.com",
    "https://example.com/",
    "https://example.com:443",
    "https://*.a.com/x",
  ]) {
    expect(problemsOf({ "cors-origins": wrong })).toContain(`--cors-origins: "${wrong}" is no origin`);
  }
});

test("--watch means --model-control poll; what contradicts it, or would do nothing, is refused", () => {
  const control = (flags: Record<string, string>) =>
    readServerSettings({ ...none, flags: new Map(Object.entries(flags)) }).modelControl;
  expect(control({ watch: "" })).toBe("poll");
  expect(control({ watch: "", "model-control": "poll" })).toBe("poll");
  expect(control({ "model-control": "explicit", "load-model": "a,b" })).toBe("explicit");
  expect(problemsOf({ watch: "", "model-control": "explicit" })).toBe(
    "--watch: it means --model-control poll, and --model-control says explicit: give one of the two",
  );
  expect(problemsOf({ "load-model": "a" })).toContain("--load-model needs --model-control explicit");
});
