import { match, ok, strictEqual } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { collect, run } from "../../support/clients/command.ts";
import { freePort } from "../../support/servers/server-process.ts";
import { isReady, ROOT } from "../server-process.ts";
import { tool } from "../tool.ts";
import { blocksUnder, createReader, type Reader } from "./reader.ts";

const PAGE_URL = "http://127.0.0.1:8080";
const READY_MS = 60_000;
const TRAINING = "training";
/** What scikit-learn says of the row that docs/exporting.md sends. */
const TRUTH = `python -c "
import joblib, pandas
row = pandas.DataFrame({'plan': ['family'], 'months-active': [3], 'monthly-spend': [41.5]})
print(joblib.load('churn.joblib').predict_proba(row)[0][1])"
`;

/**
 * Follows README.md from a package to a score, in an empty folder: installs it, exports a scikit-learn pipeline as docs/exporting.md says,
 * drops the file in, serves, scores, tries, and ends it with Ctrl-C. Throws where a step fails, or a score is not scikit-learn's.
 */
export async function followReadme(say: (text: string) => void): Promise<void> {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const [install = "", serve = ""] = linesOf(readme, "Install it elsewhere");
  const [put = "", inspect = ""] = linesOf(readme, "Serve your own model");
  const tried = /`(npx assay try )census`/.exec(readme)![1]!;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const reader = createReader("readme", say);
  Object.assign(reader.env, { ASSAY_PORT: String(port), ASSAY_DEVICES: "cpu" });
  let server: Served | undefined;
  try {
    const packed = await run("npm", ["pack", "--silent", "--pack-destination", reader.folder], {
      cwd: ROOT,
      timeoutMs: 300_000,
    });
    strictEqual(packed.status, 0, packed.stderr);
    await reader.type(install);
    const call = await exportChurn(reader);
    const truth = Number(await reader.type(TRUTH, TRAINING));
    await reader.type(`cp ${TRAINING}/models/churn/1/model.onnx model.onnx`);
    await reader.type(put);
    match(await reader.type(inspect), /months_active/);
    server = await startServing(reader, serve.replace("DIR", "models"), url, say);
    const { scores } = JSON.parse(await reader.type(call.replaceAll(PAGE_URL, url))) as { scores: number[] };
    say(`scikit-learn predicts ${truth}`);
    ok(Math.abs(scores[0]! - truth) < 1e-5, `${scores[0]} came, and scikit-learn predicts ${truth}`);
    match(await reader.type(`${tried}churn --server ${url}\n`), /"scores":\[0\.\d+\]/);
    match(await server.interrupt(), /draining/);
    strictEqual(await isReady(url.replace("http://", "")), false);
  } finally {
    server?.kill();
    reader.leave();
  }
}

/** What is typed under a heading of the README, by line. */
function linesOf(readme: string, heading: string): string[] {
  const { text } = blocksUnder(readme, heading).find(({ info }) => info[0] === "sh")!;
  return text.trimEnd().split("\n");
}

/** Does what docs/exporting.md says up to its first export of scikit-learn, and answers its call that scores a row of it. */
async function exportChurn(reader: Reader): Promise<string> {
  const page = readFileSync(join(ROOT, "docs/exporting.md"), "utf8");
  const installs = blocksUnder(page, "Versions that go together")[0]!.text.split("\n");
  const [golden] = blocksUnder(page, "Golden rows");
  const steps = blocksUnder(page, "scikit-learn");
  const last = steps.findIndex(({ text }) => text === "python export_churn.py\n");
  ok(last > 0, "docs/exporting.md has no python export_churn.py");
  mkdirSync(join(reader.folder, TRAINING));
  reader.putCommand("python", tool("python-training"));
  // The versions are those of the tool, so that pip finds them there.
  await reader.type(`${installs.slice(0, 2).join("\n")}\n`, TRAINING);
  for (const { info, text } of [golden!, ...steps.slice(0, last + 1)]) {
    if (info[0] === "python") reader.save(`${TRAINING}/${info[1]}`, text);
    else await reader.type(text, TRAINING);
  }
  return blocksUnder(page, "Check, look, serve").find(({ text }) => text.includes('"churn"'))!.text;
}

interface Served {
  /** Ctrl-C: the signal goes to all that the terminal runs, npx among them. Answers what was printed, when all of it has ended. */
  interrupt(): Promise<string>;
  kill(): void;
}

async function startServing(
  reader: Reader,
  line: string,
  url: string,
  say: (text: string) => void,
): Promise<Served> {
  say(`$ ${line}`);
  const child = spawn("bash", ["-c", `exec ${line}`], {
    cwd: reader.folder,
    env: reader.env,
    detached: true,
  });
  const printed = collect(child);
  const ended = once(child, "close");
  const told = () => printed().stdout + printed().stderr;
  const until = Date.now() + READY_MS;
  while (!(await isReady(url.replace("http://", "")))) {
    if (child.exitCode !== null || Date.now() > until) {
      signal(child, "SIGKILL");
      throw new Error(`${line} did not serve:\n${told()}`);
    }
    await delay(50);
  }
  return {
    async interrupt() {
      say("Ctrl-C");
      signal(child, "SIGINT");
      await ended;
      say(told().trimEnd());
      return told();
    },
    kill: () => signal(child, "SIGKILL"),
  };
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, name);
}
