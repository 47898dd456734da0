import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Redis as RedisClient } from "ioredis";
import { Redis } from "ioredis";
import { tool } from "../../conformance/tool.ts";
import { freePort } from "../../support/servers/server-process.ts";

/** Redis or Valkey, a tool of `scripts/setup-tools.sh`, in a process of its own, which keeps what it has in a folder; whoever started it ends it. */
export class StoreProcess {
  readonly port: number;
  readonly url: string;
  private readonly command: string;
  private readonly folder: string;
  private child: ChildProcess | undefined = undefined;

  private constructor(command: string, folder: string, port: number) {
    this.command = command;
    this.folder = folder;
    this.port = port;
    this.url = `redis://127.0.0.1:${port}/0`;
  }

  static async start(command: string, folder: string): Promise<StoreProcess> {
    const store = new StoreProcess(command, folder, await freePort());
    await store.start();
    return store;
  }

  async start(): Promise<void> {
    const flags = [
      "--port",
      String(this.port),
      "--bind",
      "127.0.0.1",
      "--dir",
      this.folder,
      "--appendonly",
      "yes",
    ];
    this.child = spawn(tool(this.command), [...flags, "--appendfsync", "always", "--save", ""], {
      stdio: "ignore",
    });
    const client = this.client();
    try {
      await client.ping();
    } finally {
      client.disconnect();
    }
  }

  /** A client that waits for it. */
  client(): RedisClient {
    const client = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    client.on("error", () => {});
    return client;
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  stop(): void {
    this.child?.kill("SIGSTOP");
  }

  goOn(): void {
    this.child?.kill("SIGCONT");
  }
}
