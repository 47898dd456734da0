/**
 * Two servers of which one does more than the other: what that costs a call. Both are loaded at once, on core 0 with the loads on core 1,
 * by calls of one row of 30 floats on a logistic regression; each pair of rounds gives a ratio of CPU a call, of all threads. At once,
 * since a core that others use too is up to a third slower in one second than in the next: of two servers that are the same the medians
 * of 15 pairs were 0.91 and 1.05 where they were loaded in turn, and no pair was further than 0.05 from 1 where they share their seconds.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchRepository, benchRows, COLUMNS } from "../models/bench-models.ts";
import { type LoadFlags, type LoadReport, load } from "../programs/bench-load.ts";
import { type MeasuredServer, startMeasured } from "../programs/measured-server.ts";
import { median } from "../statistics.ts";

/** How much is measured. */
export interface PairRounds {
  readonly pairs: number;
  readonly seconds: string;
  /** Calls of each server before their first round, at least: V8 goes on compiling for some 25,000. */
  readonly warmCalls: number;
}

/** What was measured, in medians. `ratio`: of the pairs' ratios, the second server's CPU by the first one's. */
export interface PairCost {
  readonly firstUs: number;
  readonly secondUs: number;
  readonly ratio: number;
}

/** A server as it is started: the checkout that it is of, flags and variables of its own. */
export interface ServerChoice {
  readonly checkout: string;
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Two servers of the same models; whoever started them stops them. */
export class ServerPair {
  private readonly models: string;
  private readonly servers: readonly [MeasuredServer, MeasuredServer];

  private constructor(models: string, servers: readonly [MeasuredServer, MeasuredServer]) {
    this.models = models;
    this.servers = servers;
  }

  static async start(first: ServerChoice, second: ServerChoice): Promise<ServerPair> {
    const models = benchRepository();
    const features = [...benchRows(1).subarray(0, COLUMNS)];
    writeFileSync(join(models, "request.json"), JSON.stringify({ modelName: "lr30", features }));
    const servers = [
      await startOne("first", models, first),
      await startOne("second", models, second),
    ] as const;
    return new ServerPair(models, servers);
  }

  /** `flags` of the load: protocol, connections, concurrency. */
  async cost(flags: LoadFlags, { pairs, seconds, warmCalls }: PairRounds): Promise<PairCost> {
    const [first, second] = this.servers;
    let calls = 0;
    while (calls < warmCalls) {
      const warmed = await Promise.all(this.servers.map((server) => this.loaded(server, flags, seconds)));
      calls += Math.min(...warmed.map((load) => load.calls));
    }
    const firstUs: number[] = [];
    const secondUs: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const [one, other] = await Promise.all([
        this.cpuOfCall(first, flags, seconds),
        this.cpuOfCall(second, flags, seconds),
      ]);
      firstUs.push(one);
      secondUs.push(other);
    }
    const ratio = median(secondUs.map((cpu, pair) => cpu / firstUs[pair]!));
    return { firstUs: median(firstUs), secondUs: median(secondUs), ratio };
  }

  async stop(): Promise<void> {
    for (const server of this.servers) await server.stop();
    rmSync(this.models, { recursive: true });
  }

  private async cpuOfCall(server: MeasuredServer, flags: LoadFlags, duration: string): Promise<number> {
    const before = server.cpuUs();
    const { calls } = await this.loaded(server, flags, duration);
    return (server.cpuUs() - before) / calls;
  }

  private loaded(server: MeasuredServer, flags: LoadFlags, duration: string): Promise<LoadReport> {
    const request = join(this.models, "request.json");
    const url = `http://127.0.0.1:${server.port}`;
    return load({ ...flags, server: url, request, duration, warmup: "0" });
  }
}

function startOne(
  name: string,
  models: string,
  { checkout, flags = [], environment = {} }: ServerChoice,
): Promise<MeasuredServer> {
  const entry = join(checkout, "bin", "assay.cjs");
  const usual = ["--port", "0", "--devices", "cpu", "--intra-op-threads", "1", "--max-connections", "2000"];
  const args = [entry, "serve", "--models", models, ...usual, ...flags];
  return startMeasured(name, { command: process.execPath, args, environment });
}
