import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** `assay …` as a process group of its own; whoever started it ends it. */
export interface CommandProcess {
  readonly child: ChildProcess;
  /** Exit code and signal, once it has ended and its output is closed. */
  readonly ended: Promise<[number | null, NodeJS.Signals | null]>;
  /** All that came so far. */
  readonly printed: { stdout: string; stderr: string };
  /** Resolves with what a pattern finds in the output; rejects where the process ends without it. */
  finds(pattern: RegExp, where?: "stdout" | "stderr"): Promise<RegExpExecArray>;
  /** Sends a signal to the whole group, as a terminal does. */
  signalGroup(signal: NodeJS.Signals): void;
  /** SIGKILL to the whole group, where something of it is left. */
  end(): Promise<void>;
}

/** Starts a command; `behindLauncher` gives it a Node that says it is version 20, so that the launcher goes on with Node 24. */
export function startCommand(
  args: readonly string[],
  options: { behindLauncher?: boolean; env?: Record<string, string> } = {},
): CommandProcess {
  const argv = ["bin/assay.cjs", ...args];
  if (options.behindLauncher) argv.unshift("--require", oldNode());
  const child = spawn(process.execPath, argv, {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
    env: { ...process.env, ...options.env },
  });
  const printed = { stdout: "", stderr: "" };
  const watchers = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      printed[name] += text;
      for (const look of watchers) look();
    });
  }
  const ended = once(child, "close") as CommandProcess["ended"];
  const signalGroup = (signal: NodeJS.Signals) => {
    process.kill(-child.pid!, signal);
  };
  return {
    child,
    ended,
    printed,
    finds: (pattern, where = "stdout") =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(printed[where]);
          if (found === null) return;
          watchers.delete(look);
          resolve(found);
        };
        watchers.add(look);
        look();
        void ended.then(() => reject(new Error(`it ended without ${pattern}: ${JSON.stringify(printed)}`)));
      }),
    signalGroup,
    async end() {
      try {
        signalGroup("SIGKILL");
      } catch {
        // Nothing of it is left.
      }
      await ended;
    },
  };
}

/** Starts `assay serve` over one small model and resolves with its port once it serves. */
export async function startServe(
  flags: readonly string[],
  options: Parameters<typeof startCommand>[1] = {},
): Promise<CommandProcess & { readonly port: number }> {
  const server = startCommand(
    ["serve", "--models", smallRepository(), "--port", "0", "--devices", "cpu", ...flags],
    options,
  );
  const found = await server.finds(/on http:\/\/127\.0\.0\.1:(\d+)/);
  return { ...server, port: Number(found[1]) };
}

/** Resolves once nothing listens on a port. */
export async function portIsFree(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isTaken = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (!isTaken) return;
  }
}

let repository: string | undefined;

/** A folder with the iris model alone, which loads quickly. */
export function smallRepository(): string {
  if (repository !== undefined) return repository;
  repository = mkdtempSync(join(tmpdir(), "assay-small-"));
  symlinkSync(resolve("models/iris"), join(repository, "iris"));
  return repository;
}

let preload: string | undefined;

function oldNode(): string {
  if (preload !== undefined) return preload;
  preload = join(mkdtempSync(join(tmpdir(), "assay-old-node-")), "old.cjs");
  writeFileSync(preload, 'Object.defineProperty(process, "versions", { value: { node: "20.19.0" } });');
  return preload;
}
