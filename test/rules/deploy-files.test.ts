import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { knownFlags, parseArguments } from "../../src/cli/arguments.ts";
import { FLAGS } from "../../src/config/flag-table.ts";
import { readServerSettings, type ServerSettings } from "../../src/config/server-settings.ts";
import { strayVariables } from "../../src/config/stray-variables.ts";

const PATHS = new Set(["/livez", "/readyz", "/metrics"]);
const FILES = globSync("deploy/**/*", { withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => `${parentPath}/${name}`);

/** The files that start a server, and what in them says for how many seconds its end is waited for. */
const STARTING: readonly (readonly [file: string, wait: RegExp | undefined])[] = [
  ["deploy/container/Containerfile", /--stop-timeout (\d+)/],
  ["deploy/kubernetes/assay.yaml", /terminationGracePeriodSeconds: (\d+)/],
  ["deploy/systemd/assay.service", /TimeoutStopSec=(\d+)/],
  // KServe's deployment waits, and the chart adds what its values say.
  ["deploy/kserve/serving-runtime.yaml", undefined],
  ["deploy/helm/assay/templates/deployment.yaml", undefined],
];

/** What a file sets in a server's environment, however it writes that; what a template fills in is left out. */
function variables(text: string): Record<string, string> {
  const set = /\bASSAY_([A-Z_]+)(?:=|, value: )"?([^\s",}{]+)/g;
  return Object.fromEntries([...text.matchAll(set)].map(([, name, value]) => [`ASSAY_${name}`, value!]));
}

/** Each `serve …` of a file, as words. */
function commands(text: string): string[][] {
  const lists = [...text.matchAll(/(?:args: |CMD )\[([^\]]*)\]/g)].map(([, list]) =>
    [...list!.matchAll(/"([^"]*)"/g)].map(([, word]) => word!),
  );
  const lines = [...text.matchAll(/^ExecStart=\S+ (.*)$/gm)].map(([, words]) => words!.split(" "));
  return [...lists, ...lines].filter(([command]) => command === "serve");
}

function settingsOf(text: string, argv: readonly string[]): ServerSettings {
  const { flags, problems } = parseArguments(argv, knownFlags(FLAGS, ["config"]));
  expect(problems).toEqual([]);
  return readServerSettings({ flags, environment: variables(text) });
}

describe.each(STARTING)("%s", (file) => {
  const text = readFileSync(file, "utf8");

  test("starts a server with flags and variables that there are", () => {
    const all = commands(text);
    expect(all.length).toBeGreaterThan(0);
    for (const [, ...argv] of all) expect(settingsOf(text, argv).origins).toBeDefined();
    expect(strayVariables(variables(text))).toEqual([]);
  });
});

test.each(STARTING.filter(([, wait]) => wait !== undefined))(
  "%s waits for longer than the server's drain takes",
  (file, wait) => {
    const text = readFileSync(file, "utf8");
    const { drainGraceMs, drainTimeoutMs } = settingsOf(text, []);
    expect(drainGraceMs).toBeGreaterThan(0);
    expect(Number(wait!.exec(text)![1]) * 1000).toBeGreaterThanOrEqual(drainGraceMs + drainTimeoutMs + 1000);
  },
);

test("every other variable and flag of Assay's that a file names is one, and every path that is probed is there", () => {
  const names = new Set(FLAGS.map(({ name }) => `--${name}`));
  const variableNames = new Set(FLAGS.map(({ variable }) => variable));
  let probed = 0;
  for (const file of FILES) {
    const text = readFileSync(file, "utf8");
    for (const [name] of text.matchAll(/\bASSAY_[A-Z][A-Z_]*[A-Z]\b/g))
      expect(variableNames, file).toContain(name);
    // In comments, where other programs' flags do not stand.
    for (const [name] of text.matchAll(/--(?:drain|listen|idle|max|call|edges)[a-z-]*/g))
      expect(names, file).toContain(name);
    for (const [, path] of text.matchAll(/(?:\bpath: |\buri |127\.0\.0\.1:[^/]*)(\/[a-z]+)\b/g)) {
      probed++;
      expect(PATHS, file).toContain(path);
    }
  }
  expect(probed).toBeGreaterThan(5);
});
