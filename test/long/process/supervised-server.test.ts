import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { expect, test } from "vitest";
import { writeAffineRepository } from "../../support/models/affine-repository.ts";
import { freePort } from "../../support/servers/server-process.ts";

/** Calls that a server lost are sent again; with `waitForReady` they also wait for one that is away. */
const SERVICE_CONFIG = {
  methodConfig: [
    {
      name: [{ service: "assay.v1.ScoringService" }],
      retryPolicy: {
        maxAttempts: 5,
        initialBackoff: "0.5s",
        maxBackoff: "5s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
};
const CALLERS = 8;

interface Answer {
  readonly outputs: readonly {
    readonly raw_contents: Buffer;
    readonly contents?: { fp32_contents: number[] };
  }[];
}

/** Starts the server anew whenever it ends, as systemd and Kubernetes do. */
class Supervisor {
  starts = 0;
  readonly exits: (string | number | null)[] = [];
  private readonly args: readonly string[];
  private child: ChildProcess | undefined;
  private isOver = false;
  private readonly done: Promise<void>;

  constructor(args: readonly string[]) {
    this.args = args;
    this.done = this.run();
  }

  kill(signal: NodeJS.Signals): void {
    this.child!.kill(signal);
  }

  async end(): Promise<void> {
    this.isOver = true;
    this.kill("SIGKILL");
    await this.done;
  }

  private async run(): Promise<void> {
    while (!this.isOver) {
      this.starts++;
      this.child = spawn(process.execPath, this.args, { stdio: "ignore" });
      const [code, signal] = (await once(this.child, "exit")) as [number | null, NodeJS.Signals | null];
      this.exits.push(signal ?? code);
    }
  }
}

test("under a supervisor and load, SIGTERM, SIGKILL and a native abort cost clients that retry no call", async () => {
  const repository = writeAffineRepository();
  const port = await freePort();
  const serve = ["bin/assay.cjs", "serve", "--models", repository.folder, "--port", String(port)];
  const supervisor = new Supervisor([...serve, "--devices", "cpu"]);
  const definition = loadSync("assay/v1/scoring_service.proto", {
    includeDirs: ["proto"],
    keepCase: true,
    defaults: true,
    oneofs: true,
  });
  const loaded = grpc.loadPackageDefinition(definition) as unknown as {
    assay: { v1: { ScoringService: grpc.ServiceClientConstructor } };
  };
  const client = new loaded.assay.v1.ScoringService(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    "grpc.service_config": JSON.stringify(SERVICE_CONFIG),
    "grpc.max_reconnect_backoff_ms": 500,
  });
  const failures: string[] = [];
  let answered = 0;
  let madeAgain = 0;
  let isOver = false;
  const call = (value: number, untilMs = performance.now() + 30_000): Promise<void> =>
    new Promise<void>((resolve) => {
      const request = { model_name: "affine", features: new Array(16).fill(value), output_names: ["*"] };
      const metadata = new grpc.Metadata({ waitForReady: true });
      client.Predict!(
        request,
        metadata,
        { deadline: Date.now() + 30_000 },
        (error: grpc.ServiceError | null, answer: Answer) => {
          if (error?.code === grpc.status.UNAVAILABLE && performance.now() < untilMs) {
            // gRPC makes five attempts at most; on a slow machine a start takes longer than they do.
            madeAgain++;
            setTimeout(() => resolve(call(value, untilMs)), 200);
            return;
          }
          if (error !== null) failures.push(`${error.code} ${error.details}`);
          else {
            const [{ raw_contents, contents }] = answer.outputs as [Answer["outputs"][0]];
            const score = raw_contents.length > 0 ? raw_contents.readFloatLE(0) : contents!.fp32_contents[0];
            if (score === 2 * value + 1) answered++;
            else failures.push(`${score} came for ${value}`);
          }
          resolve();
        },
      );
    });
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let count = 0; !isOver; count++) {
      await call(caller * 100_000 + count);
      await delay(2);
    }
  });
  const answeredOn = async (): Promise<void> => {
    const before = answered;
    await expect.poll(() => answered - before, { timeout: 40_000 }).toBeGreaterThan(50);
  };
  try {
    await answeredOn();
    for (const signal of ["SIGTERM", "SIGKILL", "SIGABRT"] as const) {
      const { starts } = supervisor;
      supervisor.kill(signal);
      await expect.poll(() => supervisor.starts, { timeout: 20_000 }).toBe(starts + 1);
      await answeredOn();
    }
    isOver = true;
    await Promise.all(callers);
    expect(failures).toEqual([]);
    // Most of what a restart costs is gRPC's own to repair.
    expect(madeAgain).toBeLessThan(answered / 10);
    expect(supervisor.exits).toEqual([0, "SIGKILL", "SIGABRT"]);
  } finally {
    isOver = true;
    client.close();
    await supervisor.end();
    repository.remove();
  }
});
