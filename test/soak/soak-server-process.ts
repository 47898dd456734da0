import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const LAUNCHER = fileURLToPath(new URL("../../bin/assay.cjs", import.meta.url));
/** Loaded into the server: collects garbage on SIGUSR2, so that what is measured is what it holds. */
const COLLECT = "data:text/javascript,process.on('SIGUSR2',()=>{globalThis.gc();globalThis.gc();});";

/** `assay serve` as users start it, but for a signal that collects garbage. */
export interface SoakServer {
  readonly url: string;
  readonly port: number;
  readonly ended: Promise<unknown>;
  alive(): boolean;
  /** Resident memory after a collection, in MiB. */
  residentMib(): Promise<number>;
  /** SIGTERM; resolves to the exit code. */
  terminate(): Promise<number | null>;
}

/** Starts the server over a model repository; resolves once it serves. */
export async function startSoakServer(models: string): Promise<SoakServer> {
  const args = ["--expose-gc", "--import", COLLECT, LAUNCHER, "serve", "--models", models, "--port", "0"];
  const child = spawn(process.execPath, [...args, "--devices", "cpu:2", "--log-level", "error"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  let printed = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      const found = /on (http:\/\/\S+)/.exec(printed)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(`the server ended before it served: ${printed}`)));
  });
  const alive = () => child.exitCode === null && child.signalCode === null;
  return {
    url,
    port: Number(new URL(url).port),
    ended,
    alive,
    async residentMib() {
      if (!alive()) return Number.POSITIVE_INFINITY;
      let least = Number.POSITIVE_INFINITY;
      // What comes between the collection and the reading is not held either: the least of a few.
      for (let i = 0; i < 5; i++) {
        child.kill("SIGUSR2");
        await delay(200);
        const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
        least = Math.min(least, Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024);
      }
      return Math.round(least);
    },
    async terminate() {
      if (alive()) child.kill("SIGTERM");
      await Promise.race([ended, delay(30_000)]);
      if (alive()) child.kill("SIGKILL");
      await ended;
      return child.exitCode;
    },
  };
}
