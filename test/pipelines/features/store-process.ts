import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Redis as RedisClient } from "ioredis";
import { Redis } from "ioredis";
import { tool } from "../../conformance/tool.ts";
import { freePort } from "../../support/servers/server-process.ts";

/** Files in PEM; the certificate is its own authority. */
export interface StoreCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Redis or Valkey, a tool of `scripts/setup-tools.sh`, in a process of its own, which keeps what it has in a folder; whoever started it ends it. */
export class StoreProcess {
  readonly port: number;
  readonly url: string;
  private readonly command: string;
  private readonly folder: string;
  private readonly certificate: StoreCertificate | undefined;
  private child: ChildProcess | undefined = undefined;

  private constructor(
    command: string,
    folder: string,
    port: number,
    certificate: StoreCertificate | undefined,
  ) {
    this.certificate = certificate;
    this.command = command;
    this.folder = folder;
    this.port = port;
    this.url = `${certificate === undefined ? "redis" : "rediss"}://127.0.0.1:${port}/0`;
  }

  /** Starts it; with a certificate it speaks TLS alone. */
  static async start(command: string, folder: string, certificate?: StoreCertificate): Promise<StoreProcess> {
    const store = new StoreProcess(command, folder, await freePort(), certificate);
    await store.start();
    return store;
  }

  async start(): Promise<void> {
    const flags = [...this.portFlags(), "--bind", "127.0.0.1", "--dir", this.folder, "--appendonly", "yes"];
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

  private portFlags(): string[] {
    const { port, certificate } = this;
    if (certificate === undefined) return ["--port", String(port)];
    const { cert, key } = certificate;
    const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no"];
    return ["--port", "0", "--tls-port", String(port), ...files];
  }

  /** A client that waits for it. */
  client(): RedisClient {
    const { certificate } = this;
    const tls = certificate === undefined ? {} : { tls: { ca: readFileSync(certificate.cert) } };
    const client = new Redis(this.url, {
      ...tls,
      retryStrategy: () => 50,
      maxRetriesPerRequest: null,
    });
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
