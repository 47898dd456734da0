/** Commands that call a server bring it a key from a file or from the environment, and show it nowhere. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readBenchSettings } from "../../../src/config/bench-settings.ts";
import { runLoad } from "../../../src/load/load-run.ts";
import { run } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { irisFolder, keyFile, keyLine } from "../../support/keys/keyed-server.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const KEY = "planted-client-key";
const keys = keyFile(keyLine(KEY, { id: "client", models: ["iris"] }));
const { url } = await fileServer(irisFolder(), { keys: keys.path });
const folder = fileFolder();
const keyPath = join(folder, "client.key");
writeFileSync(keyPath, `${KEY}\n`);
writeFileSync(join(folder, "rows.csv"), "a,b,c,d\n5.1,3.5,1.4,0.2\n6.2,2.9,4.3,1.3\n");

const PROTOCOLS = [
  "grpc",
  "grpc-stream",
  "grpc-web",
  "connect",
  "connect-json",
  "predict",
  "inference",
  "inference-rest",
];

test.each(PROTOCOLS)("assay bench brings the key of its file with each call over %s", async (protocol) => {
  const settings = readBenchSettings({
    flags: new Map(
      Object.entries({
        server: url,
        model: "iris",
        protocol,
        "key-file": keyPath,
        duration: "0.1",
        warmup: "0",
      }),
    ),
    environment: {},
  });
  const report = await runLoad({
    settings,
    requestText: undefined,
    terminal: { write: () => {} },
    signal: new AbortController().signal,
  });
  expect(report).toMatchObject({ error_rate: 0 });
  expect(report.calls).toBeGreaterThan(0);
  expect(JSON.stringify(report)).not.toContain(KEY);
});

const assay = (args: string[], environment: Record<string, string> = {}) =>
  run(process.execPath, ["bin/assay.cjs", ...args], { env: { ...process.env, ...environment } });

const output = join(folder, "scores.csv");
const SCORE = ["score", "--server", url, "--model", "iris", "--by-position"];
SCORE.push("--input", join(folder, "rows.csv"), "--output", output);

test("assay score brings the key of the environment", async () => {
  const { status, stderr } = await assay(SCORE, { ASSAY_KEY: KEY });
  expect([status, stderr]).toEqual([0, expect.not.stringContaining("planted")]);
  expect(readFileSync(output, "utf8").trim().split("\n")).toHaveLength(3);
});

test("assay score says that its key is not known, and does not show it", async () => {
  const { status, stderr } = await assay([...SCORE, "--restart"], { ASSAY_KEY: "planted-wrong" });
  expect([status, stderr]).toEqual([1, expect.stringContaining("none that the server knows")]);
  expect(stderr).not.toContain("planted");
});

test("assay try brings a key too", async () => {
  expect((await assay(["try", "iris", "--server", url])).stderr).toContain("no key came");
  const { status, stdout } = await assay(["try", "iris", "--server", url, "--key-file", keyPath]);
  expect([status, stdout]).toEqual([0, expect.stringContaining("answered in")]);
});

test.each([
  [
    ["bench", "--server", "http://127.0.0.1:1", "--key-file", "not-there"],
    {},
    /--key-file: not-there cannot be read/,
  ],
  [
    ["bench", "--server", "http://127.0.0.1:1"],
    { ASSAY_KEY: "planted with spaces" },
    /ASSAY_KEY holds no key/,
  ],
  [
    ["score", "--model", "iris", "--input", "x.csv", "--output", "y.csv", "--key-file", keyPath],
    {},
    /--key-file needs --server/,
  ],
])("%j with %j is refused: %s", async (args, environment, why) => {
  const { status, stderr } = await assay(args, environment as unknown as Record<string, string>);
  expect([status, stderr]).toEqual([2, expect.stringMatching(why)]);
  expect(stderr).not.toContain("planted");
});
