/**
 * Rows of a topic to scores of another: the loop of `assay consume`.
 * Comes in: partitions as the group gives and takes them, what is fetched of them, outcomes of the scorer. Goes out: rounds to a sink.
 * Promises:
 * - a row's score, or its dead letter, and the offset behind it are written together, in the order of the partition;
 * - after whatever fails, every partition is read again from its committed offset, once nobody's transaction holds another one;
 * - a row that cannot be scored never holds the rows behind it, and a server that cannot score holds only what waits for it;
 * - at most `mostRows` rows and `mostBytes` bytes are held, and about one fetch more; what has no room is not fetched;
 * - a rebalance takes only the partitions that go elsewhere: the others are read and scored on;
 * - `stop` writes what is scored by then, and no row after it is committed.
 */
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../errors.ts";
import { retryDelayMs } from "../scorer/remote/retry-policy.ts";
import { brokerMessage, isRebalance } from "./brokers/broker-clients.ts";
import type { Membership } from "./brokers/group-member.ts";
import type { GroupOffsets } from "./brokers/group-offsets.ts";
import type { RecordFetcher } from "./brokers/record-fetcher.ts";
import { refusedWrite, type ScoreSink } from "./brokers/score-sink.ts";
import type { ConsumeFigures } from "./figures/consume-figures.ts";
import { type FlowLimits, fetchingRuns, PartitionRun, type Slice } from "./partition-run.ts";
import type { OutputMessage } from "./records/input-record.ts";
import type { Outcome, RecordScoring } from "./records/record-scoring.ts";
import { type MessageForm, outcomeMessage } from "./records/score-message.ts";
import { lesserOfParts, messagesOfParts, type RoundPart, takeWritten } from "./round-part.ts";

/** What of a fetcher a loop calls. */
export type LoopFetcher = Pick<RecordFetcher, "fetch" | "startOffset">;

/** What a loop stands on. */
export interface ConsumeLoopOptions {
  readonly topic: string;
  readonly scoring: Pick<RecordScoring, "score">;
  /** Slices that are scored at a time. */
  readonly slicesInFlight: number;
  readonly form: MessageForm;
  readonly sink: ScoreSink;
  readonly offsets: Pick<GroupOffsets, "committed">;
  readonly membership: () => Membership | undefined;
  readonly start: "earliest" | "latest";
  readonly lingerMs: number;
  readonly limits: FlowLimits;
  readonly figures: ConsumeFigures;
  readonly onTrouble: (what: string) => void;
}

const SLICE_ROWS = 1000;
const ROUND_ROWS = 10_000;
const ROUND_BYTES = 16_777_216;
const UNSTABLE_DELAY_MS = 50;
const REBALANCE_DELAY_MS = 50;

/** The loop; `fetcher` is given once both are there, since each calls the other. */
export class ConsumeLoop {
  private readonly options: ConsumeLoopOptions;
  private readonly runs = new Map<number, PartitionRun>();
  private fetcher: LoopFetcher | undefined;
  private scoringCount = 0;
  private writing: Promise<void> | undefined;
  private failures = 0;
  private trouble: string | undefined;
  private turn = 0;
  private linger: NodeJS.Timeout | undefined;
  private isStopping = false;
  private readonly committed = (partition: number) => this.options.offsets.committed(partition);

  constructor(options: ConsumeLoopOptions) {
    this.options = options;
  }

  /** Begins to read what it owns. */
  begin(fetcher: LoopFetcher): void {
    this.fetcher = fetcher;
    for (const run of this.runs.values()) void this.findStart(run);
  }

  /** Partitions that the group gives. */
  own(partitions: readonly number[]): void {
    for (const partition of partitions) {
      const run = new PartitionRun(partition);
      this.runs.set(partition, run);
      this.options.figures.own(partition);
      if (this.fetcher !== undefined) void this.findStart(run);
    }
  }

  /** Partitions that the group takes: what of them is not committed is another member's. */
  lose(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.runs.get(partition)?.end();
      this.runs.delete(partition);
      this.options.figures.lose(partition);
    }
  }

  /** The partitions that it owns. */
  get partitions(): number[] {
    return [...this.runs.keys()];
  }

  /** Why scores cannot be written; undefined: the last round was, or there was none. */
  get writeTrouble(): string | undefined {
    return this.trouble;
  }

  /** Does whatever can be done now: called whenever something has changed. */
  pump(): void {
    if (this.isStopping) return;
    const { lingerMs, limits } = this.options;
    const runs = this.inTurn();
    const nowMs = performance.now();
    let cutAtMs = Number.POSITIVE_INFINITY;
    for (const run of runs) {
      run.cut(SLICE_ROWS, lingerMs, nowMs);
      cutAtMs = Math.min(cutAtMs, run.cutAtMs(lingerMs) ?? cutAtMs);
    }
    this.linger ??= cutAtMs === Number.POSITIVE_INFINITY ? undefined : this.wakeAt(cutAtMs - nowMs);
    this.scoreMore(runs);
    this.writing ??= this.nextRound();
    this.fetcher?.fetch(fetchingRuns(runs, limits), limits.mostRows / runs.length);
  }

  /** Reads a partition again, from where the broker's oldest or newest record is. */
  async restart(run: PartitionRun): Promise<void> {
    const { start, onTrouble } = this.options;
    onTrouble(
      `partition ${run.partition} has no offset ${run.position} any more: it is gone on with at the ${start} one`,
    );
    run.position = undefined;
    await this.findStart(run, async () => undefined);
  }

  /** Writes what is scored, and forgets the rest. */
  async stop(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.linger);
    await this.writing;
    this.writing = this.nextRound();
    await this.writing;
    this.lose(this.partitions);
  }

  private wakeAt(delayMs: number): NodeJS.Timeout {
    return setTimeout(
      () => {
        this.linger = undefined;
        this.pump();
      },
      Math.max(1, delayMs),
    );
  }

  private scoreMore(runs: readonly PartitionRun[]): void {
    for (let found = true; found; ) {
      found = false;
      for (const run of runs) {
        if (this.scoringCount >= this.options.slicesInFlight) return;
        const slice = run.nextUnscored();
        if (slice === undefined) continue;
        found = true;
        slice.isBegun = true;
        this.scoringCount++;
        void this.scoreSlice(run, slice);
      }
    }
  }

  /** Each time another partition is the first, so that one with a backlog never holds the others. */
  private inTurn(): PartitionRun[] {
    const runs = [...this.runs.values()];
    const first = this.turn++ % Math.max(1, runs.length);
    return [...runs.slice(first), ...runs.slice(0, first)];
  }

  private async scoreSlice(run: PartitionRun, slice: Slice): Promise<void> {
    const { scoring, form, topic, figures } = this.options;
    const { partition } = run;
    try {
      const outcomes = await scoring.score(slice.records, run.signal);
      if (!run.isEnded) slice.messages = messagesOf(slice, outcomes, { topic, partition }, form);
    } catch (error) {
      // Waiting for the server ended with the run. Anything else is a bug, and must not hold the partition silently.
      if (!run.isEnded) {
        figures.bugs++;
        this.options.onTrouble(`partition ${partition} is read again after an error: ${messageOf(error)}`);
        this.rewind([run]);
      }
    }
    this.scoringCount--;
    this.pump();
  }

  /** Writes what is scored; undefined: nothing is, or nobody may. */
  private nextRound(): Promise<void> | undefined {
    const membership = this.options.membership();
    if (membership === undefined) return undefined;
    const parts: RoundPart[] = [];
    let rows = 0;
    let bytes = 0;
    for (const run of this.inTurn()) {
      if (rows >= ROUND_ROWS || bytes >= ROUND_BYTES) break;
      const slices = run.scored(ROUND_ROWS - rows, ROUND_BYTES - bytes);
      if (slices.length === 0) continue;
      for (const slice of slices) {
        rows += slice.records.length;
        bytes += slice.bytes;
      }
      parts.push({ run, slices, offset: run.offsetAfter(slices.length) });
    }
    return parts.length === 0 ? undefined : this.writeRound(parts, membership);
  }

  private async writeRound(parts: readonly RoundPart[], membership: Membership): Promise<void> {
    const { sink, figures, topic, form } = this.options;
    const messages = messagesOfParts(parts);
    const offsets = parts.map(({ run, offset }) => ({ partition: run.partition, offset }));
    const begunMs = performance.now();
    try {
      const lesser = lesserOfParts(parts, topic, form);
      const written = await sink.write({ messages, offsets, membership, lesser });
      if (written !== messages) this.tellLesser(parts, written);
      this.failures = 0;
      this.trouble = undefined;
      for (const { run, slices, offset } of parts) {
        figures.written(run.partition, slices, offset, form.deadLetterTopic);
        if (!run.isEnded) run.release(slices.length);
      }
      figures.rounds.observe(performance.now() - begunMs);
    } catch (error) {
      if (!(await this.isUndone(error))) await this.recover(error);
    }
    this.writing = undefined;
    this.pump();
  }

  private tellLesser(parts: readonly RoundPart[], written: readonly OutputMessage[]): void {
    takeWritten(parts, written);
    this.options.onTrouble(
      "brokers refused messages for their size or form: dead letters stand in their places",
    );
  }

  /**
   * A round that was refused because the group is being shared anew, and is undone: what of it is still owned is written again, as the
   * member that this process is by then.
   */
  private async isUndone(error: unknown): Promise<boolean> {
    if (!isRebalance(error)) return false;
    try {
      await this.options.sink.undo();
    } catch {
      return false;
    }
    await delay(REBALANCE_DELAY_MS);
    return true;
  }

  /** Nobody knows what of a failed round was written: the committed offsets tell, once the sink has ended its transaction. */
  private async recover(error: unknown): Promise<void> {
    const { sink, onTrouble, figures, form } = this.options;
    let cause = error;
    figures.failedRounds++;
    this.rewind([...this.runs.values()], false);
    for (;;) {
      const delayMs = retryDelayMs(++this.failures, {}, Math.random());
      this.trouble = refusedWrite(cause, form);
      onTrouble(
        `scores could not be written, and their rows are read again in ${Math.round(delayMs)} ms: ${this.trouble}`,
      );
      if (this.isStopping) return;
      await delay(delayMs);
      try {
        await sink.reset();
        break;
      } catch (next) {
        cause = next;
      }
    }
    for (const run of this.runs.values()) if (run.position === undefined) void this.findStart(run);
  }

  /** Runs that end, and new ones of the same partitions. */
  private rewind(runs: readonly PartitionRun[], isBegun = true): void {
    for (const old of runs) {
      if (this.runs.get(old.partition) !== old) continue;
      old.end();
      const run = new PartitionRun(old.partition);
      this.runs.set(run.partition, run);
      if (isBegun) void this.findStart(run);
    }
  }

  /** `committed` is what a run is begun at; undefined: where the brokers' oldest or newest record is. */
  private async findStart(run: PartitionRun, committed = this.committed): Promise<void> {
    const { start, figures, onTrouble } = this.options;
    // Rows of the partition may be in a round that was begun before it was lost, or before it is read again: its offset comes first.
    await this.writing;
    for (let attempt = 1; !run.isEnded && !this.isStopping; attempt++) {
      try {
        const known = await committed(run.partition);
        const position = known ?? (await this.fetcher!.startOffset(run.partition, start));
        if (run.isEnded || run.position !== undefined) return;
        run.position = position;
        figures.starts(run.partition, position);
        this.pump();
        return;
      } catch (error) {
        if (attempt % 40 === 0)
          onTrouble(`the offset of partition ${run.partition} is waited for: ${brokerMessage(error)}`);
        await delay(Math.min(1000, UNSTABLE_DELAY_MS * Math.ceil(attempt / 20)));
      }
    }
  }
}

function messagesOf(
  { records }: Slice,
  outcomes: readonly Outcome[],
  from: { readonly topic: string; readonly partition: number },
  form: MessageForm,
): OutputMessage[] {
  return records.map((record, at) => outcomeMessage(record, outcomes[at]!, from, form));
}
