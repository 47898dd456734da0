import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
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
  /** V8's heap, as /metrics tells it, in MiB; after `residentMib` what a collection left, and what came since. */
  heapMib(): Promise<number>;
  /** What was refused, ended or slowed by a limit, by the limit; those alone that were hit. */
  limitHits(): Promise<string>;
  /** Processor time of the server so far. */
  cpuSeconds(): number;
  /** Lines of its log so far, by their message. */
  readonly logged: ReadonlyMap<string, number>;
  /** Processes that the server started. */
  children(): number[];
  /** SIGTERM; resolves to the exit code. */
  terminate(): Promise<number | null>;
}

/** Lines of the log that are shown of each message. */
const LINES_SHOWN = 2;

/** The message of a line, and the reason where it has one. */
function whatOf(line: string): string {
  try {
    const { msg, reason } = JSON.parse(line) as { msg: string; reason?: string };
    return reason === undefined ? msg : `${msg} (${reason})`;
  } catch {
    return line.slice(0, 100);
  }
}

const CLOCK_TICKS_A_SECOND = 100;

/** Fields of /proc/PID/stat behind the name, which may have spaces in it. */
function statOf(pid: number | string): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Starts the server over a model repository; resolves once it serves. */
export async function startSoakServer(models: string, flags: readonly string[] = []): Promise<SoakServer> {
  const options = ["serve", "--models", models, "--port", "0", ...flags];
  const args = ["--expose-gc", "--import", COLLECT, LAUNCHER, ...options];
  const child = spawn(process.execPath, [...args, "--devices", "cpu:2", "--log-level", "error"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const logged = new Map<string, number>();
  createInterface({ input: child.stderr }).on("line", (line) => {
    const what = whatOf(line);
    const count = (logged.get(what) ?? 0) + 1;
    logged.set(what, count);
    if (count <= LINES_SHOWN) console.error(line.slice(0, 600));
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
    logged,
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
    async heapMib() {
      if (!alive()) return Number.POSITIVE_INFINITY;
      // On a connection of its own: one that is kept alive may be closed while the next request is on its way.
      const headers = { connection: "close" };
      const text = await (await fetch(`${url}/metrics`, { headers })).text();
      const spaces = [...text.matchAll(/^v8js_memory_heap_used_bytes\{.*\} (\S+)$/gm)];
      return Math.round(spaces.reduce((sum, [, bytes]) => sum + Number(bytes), 0) / 2 ** 20);
    },
    async limitHits() {
      const headers = { connection: "close" };
      const text = await (await fetch(`${url}/metrics`, { headers })).text();
      const hits = [...text.matchAll(/^assay_limit_hits_total\{limit="(.*)"\} ([1-9]\d*)$/gm)];
      return hits.map(([, limit, count]) => `${limit} ${count}`).join(", ") || "none";
    },
    cpuSeconds() {
      if (!alive()) return Number.NaN;
      const [, , , , , , , , , , , user, system] = statOf(child.pid!);
      return (Number(user) + Number(system)) / CLOCK_TICKS_A_SECOND;
    },
    children() {
      return readdirSync("/proc").flatMap((name) => {
        if (!/^\d+$/.test(name)) return [];
        try {
          return statOf(name)[1] === String(child.pid) ? [Number(name)] : [];
        } catch {
          // It has ended since.
          return [];
        }
      });
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
