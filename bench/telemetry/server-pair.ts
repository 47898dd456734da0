/**
 * Two servers of which one does more than the other: what that costs a call. Both are loaded at once, on core 0 with the loads on core 1,
 * by calls of one row of 30 floats on a logistic regression; each pair of rounds gives a ratio of CPU a call, of all threads. At once,
 * since a core that others use too is up to a third slower in one second than in the next: loaded in turn, two servers that are the same
 * gave medians of 0.91 and 1.05. Several times anew, since one process may settle at a tenth more than the next of the same program; in turn
 * the one and the other is started and loaded first, since the later one of two that are the same took 0.97 of the first one's.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchRepository, benchRows, COLUMNS } from "../models/bench-models.ts";
import { type LoadFlags, type LoadReport, load } from "../programs/bench-load.ts";
import { type MeasuredServer, startMeasured } from "../programs/measured-server.ts";
import { median } from "../statistics.ts";
import { callSampled } from "./sampled-calls.ts";

/** How much is measured. */
export interface PairRounds {
  /** Times that both are started. */
  readonly starts: number;
  /** Pairs of rounds in each. */
  readonly pairs: number;
  readonly seconds: string;
  /** Calls of each server before their first round, at least: V8's compiling threads take 1 to 2 µs of each call until some 300,000, a fifth of that after. */
  readonly warmCalls: number;
  /** Among these, calls that ask to be recorded: what is done for one in a hundred is compiled after a hundred times as many. Default 0. */
  readonly sampledCalls?: number;
}

/** What was measured, in medians of all pairs. `ratio`: the second server's CPU by the first one's. */
export interface PairCost {
  readonly firstUs: number;
  readonly secondUs: number;
  readonly ratio: number;
  /** The median of each start's pairs. */
  readonly ratios: readonly number[];
}

/** A server as it is started: the checkout that it is of, flags and variables of its own. */
export interface ServerChoice {
  readonly checkout: string;
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts both as often as is asked, and measures. `flags` of the load: protocol, connections, concurrency. */
export async function costOfSecond(
  first: ServerChoice,
  second: ServerChoice,
  flags: LoadFlags,
  rounds: PairRounds,
): Promise<PairCost> {
  const pairs: Figures[][] = [];
  for (let start = 0; start < rounds.starts; start++) {
    const isTurned = start % 2 === 1;
    const servers = await (isTurned ? ServerPair.start(second, first) : ServerPair.start(first, second));
    try {
      const figures = await servers.measure(flags, rounds);
      pairs.push(isTurned ? figures.map(([one, other]) => [other, one]) : figures);
    } finally {
      await servers.stop();
    }
  }
  const all = pairs.flat();
  const ratio = ([one, other]: Figures) => other / one;
  return {
    firstUs: median(all.map(([one]) => one)),
    secondUs: median(all.map(([, other]) => other)),
    ratio: median(all.map(ratio)),
    ratios: pairs.map((ofStart) => median(ofStart.map(ratio))),
  };
}

/** Ratios for a line of a report. */
export function shown(ratios: readonly number[]): string {
  return ratios.map((ratio) => ratio.toFixed(3)).join(", ");
}

/** CPU µs a call of the first and of the second server. */
type Figures = readonly [first: number, second: number];

class ServerPair {
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
    const started: MeasuredServer[] = [];
    try {
      started.push(await startOne("first", models, first));
      started.push(await startOne("second", models, second));
      return new ServerPair(models, started as [MeasuredServer, MeasuredServer]);
    } catch (error) {
      for (const server of started) await server.stop();
      rmSync(models, { recursive: true });
      throw error;
    }
  }

  async measure(
    flags: LoadFlags,
    { pairs, seconds, warmCalls, sampledCalls = 0 }: PairRounds,
  ): Promise<Figures[]> {
    const [first, second] = this.servers;
    const row = benchRows(1).subarray(0, COLUMNS);
    const sampling = this.servers.map(({ port }) => callSampled(port, [...row], sampledCalls));
    let calls = Math.min(...(await Promise.all(sampling)));
    while (calls < warmCalls) {
      const warmed = await Promise.all(this.servers.map((server) => this.loaded(server, flags, seconds)));
      calls += Math.min(...warmed.map((load) => load.calls));
    }
    const figures: Figures[] = [];
    for (let pair = 0; pair < pairs; pair++)
      figures.push(
        await Promise.all([this.cpuOfCall(first, flags, seconds), this.cpuOfCall(second, flags, seconds)]),
      );
    return figures;
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
