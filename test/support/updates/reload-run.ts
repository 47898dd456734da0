/** Callers of many protocols beside a server whose models are reloaded again and again, judged from outside. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { onnxModel } from "../models/onnx-model.ts";
import { randomTreeModel } from "../models/random-trees.ts";
import type { ChangingRepository } from "./changing-repository.ts";
import { answerWays, type Way } from "./reload-ways.ts";

const LAUNCHER = fileURLToPath(new URL("../../../bin/assay.cjs", import.meta.url));
/** So few rows a batch that a request is split into several runs: all of them have to be one version's. */
const BATCH_ROWS = 16;
const TABLE_VALUES = 2 ** 18;

/** How long and how hard. */
export interface ReloadPlan {
  readonly callers: number;
  readonly reloads: number;
}

/** What came of it. */
export interface ReloadOutcome {
  /** Calls that were answered, by the way that they took. */
  readonly answered: Readonly<Record<string, number>>;
  /** What went wrong, at most some. */
  readonly failures: readonly string[];
  readonly failureCount: number;
  /** Resident memory after each reload, in MiB. */
  readonly residentMib: readonly number[];
}

/** `y = x + plus` with a mebibyte of weights: what a reload keeps by mistake is seen. */
function tableModel(plus: number): Uint8Array {
  return onnxModel("table", {
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, 1] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [-1, 1] }],
    nodes: [
      { op: "Cast", inputs: ["x"], outputs: ["index"], attributes: { to: 7 } },
      { op: "Gather", inputs: ["table", "index"], outputs: ["plus"], attributes: { axis: 0 } },
      { op: "Add", inputs: ["x", "plus"], outputs: ["y"] },
    ],
    initializers: [
      { name: "table", shape: [TABLE_VALUES], data: new Array<number>(TABLE_VALUES).fill(plus) },
    ],
  }).bytes;
}

/** Trees that Assay's own code runs; another seed, other answers. */
function treeModel(seed: number): Uint8Array {
  return randomTreeModel(seed, {
    operator: "TreeEnsembleRegressor",
    inputType: "FLOAT",
    postTransform: "NONE",
    aggregate: "SUM",
    targetCount: 1,
    columnCount: 1,
    treeCount: 200,
    maxLeaves: 16,
    modes: ["BRANCH_LEQ"],
  }).bytes;
}

/**
 * Serves three models of the repository, has them called, and reloads one after another: `replaced`, whose file is another one under the
 * same number; `numbered`, whose next number comes and whose last one goes; `trees`. Ends all that it started.
 */
export async function runReloads(repository: ChangingRepository, plan: ReloadPlan): Promise<ReloadOutcome> {
  repository.put(1, tableModel(1), "replaced");
  repository.put(1, tableModel(1), "numbered");
  repository.put(1, treeModel(1), "trees");
  const server = await startServer(repository.folder);
  const answered: Record<string, number> = {};
  const failures: string[] = [];
  let failureCount = 0;
  const fail = (what: string): void => {
    failureCount++;
    if (failures.length < 10) failures.push(what);
  };
  let isOver = false;
  const call = async ({ name, call: run }: Way, model: string): Promise<void> => {
    while (!isOver) {
      try {
        const wrong = wrongIn(model, await run(model));
        if (wrong === undefined) answered[name] = (answered[name] ?? 0) + 1;
        else fail(`${name}: ${wrong}`);
      } catch (error) {
        fail(`${name} of ${model}: ${(error as Error).message}`);
      }
      // Two cores are shared with the server.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const ways = answerWays(server.url);
  const models = ["replaced", "numbered", "trees"];
  const callers = Array.from({ length: plan.callers }, (_, index) =>
    call(ways[index % ways.length]!, models[Math.floor(index / ways.length) % models.length]!),
  );
  const residentMib: number[] = [];
  try {
    for (let reload = 1; reload <= plan.reloads; reload++) {
      await reloadOne(repository, server.url, reload).catch((error: Error) =>
        fail(`reload ${reload}: ${error.message}`),
      );
      residentMib.push(server.residentMib());
    }
  } finally {
    isOver = true;
    await Promise.all(callers);
    for (const way of ways) way.close?.();
    await server.end();
  }
  return { answered, failures, failureCount, residentMib };
}

async function reloadOne(repository: ChangingRepository, url: string, reload: number): Promise<void> {
  const model = ["replaced", "numbered", "trees"][reload % 3]!;
  const number = Math.floor(reload / 3) + 2;
  if (model === "numbered") {
    repository.put(number, tableModel(number), model);
    repository.remove(String(number - 1), model);
  } else repository.put(1, model === "trees" ? treeModel(number) : tableModel(number), model);
  const response = await fetch(`${url}/v2/repository/models/${model}/load`, { method: "POST" });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
}

/** What of an answer is no one version's; undefined where nothing is. Rows are alike, and so have to be their values. */
function wrongIn(
  model: string,
  { version, values, sent }: Awaited<ReturnType<Way["call"]>>,
): string | undefined {
  const [first] = values;
  if (first === undefined || values.some((value) => value !== first))
    return `one answer of ${model} version ${version} has the values ${[...new Set(values)]}`;
  if (model === "numbered" && first - sent !== Number(version))
    return `version ${version} answered what version ${first - sent} does`;
  if (model === "replaced" && !Number.isInteger(first - sent)) return `${first} came for ${sent}`;
  return undefined;
}

interface ReloadServer {
  readonly url: string;
  residentMib(): number;
  end(): Promise<void>;
}

async function startServer(folder: string): Promise<ReloadServer> {
  const flags = ["--models", folder, "--model-control", "explicit", "--load-model", "*", "--devices", "cpu"];
  const more = ["--port", "0", "--log-level", "error", "--max-batch-size", String(BATCH_ROWS)];
  const args = [LAUNCHER, "serve", ...flags, ...more];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  let printed = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      const found = /on (http:\/\/\S+)/.exec(printed)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(`the server ended before it served: ${printed}`)));
  });
  return {
    url,
    residentMib() {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024);
    },
    async end() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Memory after the last reload over that after another: of five readings around each the middle one. */
export function memoryGrowth(residentMib: readonly number[], reload: number): number {
  const middle = (readings: readonly number[]) =>
    readings.toSorted((a, b) => a - b)[Math.floor(readings.length / 2)]!;
  return middle(residentMib.slice(-5)) / middle(residentMib.slice(reload - 3, reload + 2));
}
