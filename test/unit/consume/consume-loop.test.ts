import { ProtocolError } from "@platformatic/kafka";
import { expect, test, vi } from "vitest";
import type { Membership } from "../../../src/consume/brokers/group-member.ts";
import type { Round, ScoreSink } from "../../../src/consume/brokers/score-sink.ts";
import { ConsumeLoop } from "../../../src/consume/consume-loop.ts";
import { ConsumeFigures } from "../../../src/consume/figures/consume-figures.ts";
import type { PartitionRun } from "../../../src/consume/partition-run.ts";
import type { InputRecord, OutputMessage } from "../../../src/consume/records/input-record.ts";
import type { Outcome } from "../../../src/consume/records/record-scoring.ts";

const SCORED: Outcome = {
  kind: "scored",
  response: { modelName: "m", modelVersion: "1", requestId: "", scores: [1], labels: [], outputs: [] },
  frame: undefined,
};

/** A broker in memory: a log a partition, committed offsets, and what was written. */
class Bench implements ScoreSink {
  readonly logs = new Map<number, InputRecord[]>();
  readonly committed = new Map<number, bigint>();
  readonly written: string[] = [];
  readonly failures: unknown[] = [];
  readonly calls: string[] = [];
  readonly held: (() => void)[] = [];
  membership: Membership | undefined = { memberId: "a", generationId: 1 };
  holdsScores = false;
  /** What the next write waits for. */
  writing: Promise<void> | undefined;
  /** What the next questions for the oldest offset fail with. */
  readonly startFailures: unknown[] = [];
  oldest = 0n;
  /** Runs that are fetched from now on no longer have their position. */
  isOutOfRange = false;
  readonly figures = new ConsumeFigures();
  readonly loop: ConsumeLoop = new ConsumeLoop({
    topic: "in",
    scoring: { score: (records, signal) => this.score(records, signal) },
    slicesInFlight: 4,
    form: { outputTopic: "out", deadLetterTopic: "dead", format: "json", schemaId: 0 },
    sink: this,
    offsets: { committed: async (partition) => this.committed.get(partition) },
    membership: () => this.membership,
    start: "earliest",
    lingerMs: 0,
    limits: { mostRows: 1000, mostBytes: 1e7 },
    figures: this.figures,
    onTrouble: (what) => this.calls.push(what),
  });

  fill(partition: number, count: number): void {
    const log = Array.from({ length: count }, (_, at) => ({
      offset: BigInt(at),
      timestamp: 0n,
      key: Buffer.from(`${partition}/${at}`),
      value: Buffer.from("[1]"),
      headers: [],
    }));
    this.logs.set(partition, log);
  }

  begin(...partitions: number[]): void {
    this.loop.begin({
      fetch: (runs) => this.fetch(runs),
      startOffset: async () => {
        const failure = this.startFailures.shift();
        if (failure !== undefined) throw failure;
        return this.oldest;
      },
    });
    this.loop.own(partitions);
  }

  /** Two records a fetch, so that there are several slices. */
  private fetch(runs: readonly PartitionRun[]): void {
    for (const run of runs) {
      if (this.isOutOfRange) {
        this.isOutOfRange = false;
        void this.loop.restart(run);
        continue;
      }
      const records = this.logs.get(run.partition)!.slice(Number(run.position), Number(run.position) + 2);
      if (records.length === 0) continue;
      run.take(records, records.at(-1)!.offset + 1n, performance.now());
      setImmediate(() => this.loop.pump());
    }
  }

  private async score(records: readonly InputRecord[], signal: AbortSignal): Promise<Outcome[]> {
    if (this.holdsScores) {
      await new Promise<void>((resolve, reject) => {
        this.held.push(resolve);
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    }
    return records.map(() => SCORED);
  }

  async write({ messages, offsets, membership }: Round): Promise<readonly OutputMessage[]> {
    await this.writing;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.calls.push(`write ${membership.generationId}`);
    for (const { key } of messages) this.written.push(String(key));
    for (const { partition, offset } of offsets) this.committed.set(partition, offset);
    return messages;
  }

  async undo(): Promise<void> {
    this.calls.push("undo");
  }

  async reset(): Promise<void> {
    this.calls.push("reset");
  }

  async close(): Promise<void> {}

  ofPartition(partition: number): string[] {
    return this.written.filter((key) => key.startsWith(`${partition}/`));
  }
}

const keys = (partition: number, count: number) =>
  Array.from({ length: count }, (_, at) => `${partition}/${at}`);

test("every row is written once and in order, with the offset behind the last", async () => {
  const bench = new Bench();
  bench.fill(0, 7);
  bench.fill(1, 4);
  bench.begin(0, 1);
  await expect.poll(() => bench.written.length).toBe(11);
  expect([bench.ofPartition(0), bench.ofPartition(1)]).toEqual([keys(0, 7), keys(1, 4)]);
  expect([...bench.committed]).toEqual(expect.arrayContaining([[0, 7n], [1, 4n]])); // biome-ignore format: pairs in one line
});

test("after a failed write all is read again from the committed offsets, once the sink is reset", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  const bench = new Bench();
  bench.fill(0, 6);
  bench.committed.set(0, 2n);
  bench.failures.push(new Error("lost"), new Error("lost again"));
  bench.begin(0);
  await expect.poll(() => bench.written.length, { timeout: 5000 }).toBe(4);
  expect(bench.written).toEqual(keys(0, 6).slice(2));
  expect(bench.calls.filter((call) => call === "reset")).toHaveLength(2);
  expect(bench.figures.failedRounds).toBe(2);
});

test("a write that a rebalance refused is undone, and what is still owned is written as the member of by then", async () => {
  const bench = new Bench();
  bench.fill(0, 2);
  bench.fill(1, 2);
  bench.failures.push(new ProtocolError("ILLEGAL_GENERATION"));
  const { write } = bench;
  bench.write = async (round) => {
    bench.write = write;
    bench.loop.lose([1]);
    bench.membership = { memberId: "a", generationId: 2 };
    return write.call(bench, round);
  };
  bench.begin(0, 1);
  await expect.poll(() => bench.ofPartition(0)).toEqual(keys(0, 2));
  expect(bench.calls).toContain("undo");
  expect(bench.calls).not.toContain("reset");
  expect(bench.calls).not.toContain("write 1");
  expect(bench.ofPartition(1)).toEqual([]);
});

test("what is scored of a partition that was lost meanwhile is not written, also where it came back", async () => {
  const bench = new Bench();
  bench.fill(0, 2);
  bench.holdsScores = true;
  bench.begin(0);
  await expect.poll(() => bench.held.length).toBe(1);
  bench.loop.lose([0]);
  bench.committed.set(0, 1n);
  bench.holdsScores = false;
  bench.loop.own([0]);
  for (const release of bench.held) release();
  await expect.poll(() => bench.written).toEqual(["0/1"]);
});

test("a partition that comes back while its rows are being written is read from behind them", async () => {
  const bench = new Bench();
  bench.fill(0, 6);
  let write = (): void => {};
  bench.writing = new Promise((resolve) => {
    write = resolve;
  });
  const writes = vi.spyOn(bench, "write");
  bench.begin(0);
  await expect.poll(() => writes.mock.calls.length).toBe(1);
  bench.loop.lose([0]);
  bench.loop.own([0]);
  await new Promise((resolve) => setImmediate(resolve));
  bench.writing = undefined;
  write();
  await expect.poll(() => bench.committed.get(0)).toBe(6n);
  expect(bench.written).toEqual(keys(0, 6));
});

test("nothing is written while it is no member", async () => {
  const bench = new Bench();
  bench.fill(0, 2);
  bench.membership = undefined;
  bench.begin(0);
  await expect.poll(() => bench.loop.partitions).toEqual([0]);
  bench.membership = { memberId: "b", generationId: 5 };
  bench.loop.pump();
  await expect.poll(() => bench.written).toEqual(keys(0, 2));
  expect(bench.calls).toEqual(["write 5"]);
});

test("a partition whose position is gone is gone on with, also where the oldest offset cannot be asked at first", async () => {
  const bench = new Bench();
  bench.fill(0, 6);
  bench.committed.set(0, 1n);
  bench.isOutOfRange = true;
  bench.oldest = 4n;
  bench.startFailures.push(new Error("no leader"), new Error("no leader yet"));
  bench.begin(0);
  await expect.poll(() => bench.written).toEqual(keys(0, 6).slice(4));
  expect(bench.committed.get(0)).toBe(6n);
});

test("what is written in the place of a refused score counts as a dead letter", async () => {
  const bench = new Bench();
  bench.fill(0, 2);
  const { write } = bench;
  bench.write = async (round) => {
    const written = await write.call(bench, round);
    const refusal = { name: "MESSAGE_TOO_LARGE", topic: "out", bytes: 9 };
    const lesser = round.lesser(1, written[1]!, refusal)!;
    expect([lesser.topic, String(lesser.key)]).toEqual(["dead", "0/1"]);
    return [written[0]!, lesser];
  };
  bench.begin(0);
  await expect.poll(() => bench.figures.rows).toBe(2);
  expect([...bench.figures.deadLetters]).toEqual([["MESSAGE_TOO_LARGE", 1]]);
});

test("why nothing can be written is told until something is", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  const bench = new Bench();
  bench.fill(0, 2);
  bench.failures.push(new ProtocolError("TOPIC_AUTHORIZATION_FAILED"));
  bench.begin(0);
  await expect.poll(() => bench.loop.writeTrouble).toMatch(/needs the right to write .* topics out and dead/);
  await expect.poll(() => bench.written.length, { timeout: 5000 }).toBe(2);
  await expect.poll(() => bench.loop.writeTrouble).toBeUndefined();
});

test("stop writes what is scored and nothing behind a row that is not", async () => {
  const bench = new Bench();
  bench.fill(0, 6);
  bench.holdsScores = true;
  bench.begin(0);
  await expect.poll(() => bench.held.length).toBe(3);
  bench.held[0]!();
  bench.held[2]!();
  await expect.poll(() => bench.written.length).toBe(2);
  await bench.loop.stop();
  expect([bench.written, bench.committed.get(0), bench.loop.partitions]).toEqual([keys(0, 2), 2n, []]);
});
