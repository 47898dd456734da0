import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";

/** Above this a server is killed, so that a fault costs this machine no more. */
const MAX_RSS_BYTES = 6 * 1024 ** 3;

/** How a command of the package is started. */
export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly nodeFlags?: readonly string[];
  /** Where standard error goes: kept (default), a file descriptor, or a pipe that nobody reads. */
  readonly stderr?: "kept" | "unread" | number;
  readonly cwd?: string;
}

/** A process of the package in a group of its own, and what it printed. */
export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly alive: boolean;
  stdout(): string;
  stderr(): string;
  /** Largest resident memory so far of the whole group, in MiB. */
  peakMib(): number;
  /** Sends a signal to the whole group, as a terminal does. */
  signalGroup(signal: NodeJS.Signals): void;
}

/** A server that printed where it serves. */
export interface Server extends Started {
  readonly port: number;
  readonly url: string;
  /** The longest that /livez was silent since `watch`, in milliseconds. */
  stallMs(): number;
  /** Begins to ask for /livez. */
  watch(): Promise<void>;
}

/** A package under test with a folder for a fault's files; `close` ends all that was started. */
export class Bed {
  readonly folder = mkdtempSync(join(tmpdir(), "assay-fault-"));
  readonly models: string;
  private readonly launcher: string;
  private readonly closers: (() => unknown)[] = [];

  /** `root` has `bin/assay.cjs`; `models` are the example models. */
  constructor(root: string, models: string) {
    this.launcher = join(root, "bin/assay.cjs");
    this.models = models;
  }

  /** A new folder for files or models. */
  newFolder(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Starts a command; its group is ended with the bed. */
  start(args: readonly string[], options: StartOptions = {}): Started {
    const { env = {}, nodeFlags = [], stderr = "kept", cwd } = options;
    const child = spawn(process.execPath, [...nodeFlags, this.launcher, ...args], {
      cwd: cwd ?? this.folder,
      env: { ...process.env, NODE_NO_WARNINGS: "1", ...env },
      stdio: ["ignore", "pipe", typeof stderr === "number" ? stderr : "pipe"],
      detached: true,
    });
    const printed = { stdout: "", stderr: "" };
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      printed.stdout += text;
    });
    if (stderr === "kept") {
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        printed.stderr = (printed.stderr + text).slice(-1_000_000);
      });
    }
    const ended = once(child, "exit").then(([code, signal]) => ({ code, signal }));
    let peak = 0;
    const signalGroup = (signal: NodeJS.Signals) => {
      try {
        process.kill(-child.pid!, signal);
      } catch {
        // It is gone.
      }
    };
    const meter = setInterval(() => {
      const bytes = groupRss(child.pid!);
      peak = Math.max(peak, bytes);
      if (bytes > MAX_RSS_BYTES) signalGroup("SIGKILL");
    }, 100);
    this.closers.push(() => {
      clearInterval(meter);
      signalGroup("SIGKILL");
    });
    return {
      child,
      ended,
      get alive() {
        return child.exitCode === null && child.signalCode === null;
      },
      stdout: () => printed.stdout,
      stderr: () => printed.stderr,
      peakMib: () => Math.round(peak / 1024 / 1024),
      signalGroup,
    };
  }

  /** Starts a server on a free port and waits until it serves; throws with what it printed where it does not. */
  async serve(
    flags: readonly string[] = [],
    options: StartOptions & { models?: string } = {},
  ): Promise<Server> {
    const fixed = ["--models", options.models ?? this.models, "--devices", "cpu"];
    const port = flags.includes("--port") || options.env?.ASSAY_PORT !== undefined ? [] : ["--port", "0"];
    const started = this.start(["serve", ...fixed, ...port, ...flags], options);
    for (const until = Date.now() + 30_000; ; await delay(50)) {
      const url = /on (http:\/\/\S+)/.exec(started.stdout())?.[1];
      if (url !== undefined) return this.watched(started, url);
      if (!started.alive || Date.now() > until)
        throw new Error(`it did not serve: ${started.stderr().trim().split("\n").at(-1)}`);
    }
  }

  /** Ends everything that was started, and removes the folder. */
  close(): void {
    for (const close of this.closers.splice(0)) close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private watched(started: Started, url: string): Server {
    let stallMs = 0;
    const port = Number(new URL(url).port);
    const { closers } = this;
    return {
      child: started.child,
      ended: started.ended,
      get alive() {
        return started.alive;
      },
      stdout: started.stdout,
      stderr: started.stderr,
      peakMib: started.peakMib,
      signalGroup: started.signalGroup,
      port,
      url: `http://127.0.0.1:${port}`,
      stallMs: () => stallMs,
      async watch() {
        const worker = new Worker(new URL("prober-worker.ts", import.meta.url), { workerData: { port } });
        closers.push(() => worker.terminate());
        await once(worker, "message");
        worker.on("message", (longest: number) => {
          stallMs = longest;
        });
        await delay(300);
      },
    };
  }
}

/** Resident memory of all processes of a group. */
function groupRss(group: number): number {
  let bytes = 0;
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(fields[2]) === group) bytes += Number(fields[21]) * 4096;
    } catch {
      // It ended between the listing and the reading.
    }
  }
  return bytes;
}
