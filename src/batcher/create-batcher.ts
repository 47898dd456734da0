import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { Pool } from "../pool/pool.ts";
import type { BatchEnd, EntryTrace } from "../telemetry/traces/entry-trace.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import { createAlarm } from "../timing/alarm.ts";
import { LARGE_OCTETS, loopTurns } from "../timing/loop-turns.ts";
import { type Admission, createAdmission, createDrainRate } from "./admission.ts";
import { BatchPicker } from "./batch-picker.ts";
import { batchShape, type Start, whenToRun } from "./batch-policy.ts";
import { BatchRun, type RunEvents } from "./batch-run.ts";
import type { Batcher, BatcherOptions, Entry, OtherQueues } from "./batcher.ts";
import { createRowlessOutputs, Delivery, type DeliveryEvents, type RowlessOutputs } from "./delivery.ts";
import { FAILED_A_TURN, OpenTickets, type TicketEvents } from "./open-tickets.ts";
import { createQueue, createRoomLine } from "./queue.ts";
import { createTicket, type Part, type Ticket } from "./ticket.ts";

/** Makes the batcher of one model version; `batcher.ts` says what it promises. */
export function createBatcher(options: BatcherOptions): Batcher {
  return new Dispatcher(options);
}

/** Why a batch may fail where the rows of one of its callers alone would not. */
const OF_THE_ROWS: ReadonlySet<Reason> = new Set([
  Reason.RUN_FAILED,
  Reason.OUTPUT_TOO_LARGE,
  Reason.REQUEST_TOO_LARGE,
]);

class Dispatcher implements Batcher, TicketEvents, RunEvents, DeliveryEvents {
  readonly maxQueueRows: number;
  private readonly options: BatcherOptions;
  private readonly pool: Pool;
  private readonly others: OtherQueues | undefined;
  private readonly maxDelayMs: number;
  private readonly maxRows: number;
  private readonly hasRows: boolean;
  private readonly queue = createQueue();
  private readonly roomLine = createRoomLine();
  /** Every entry that waits or runs. */
  private readonly tickets = new OpenTickets(this);
  private readonly drainRate = createDrainRate();
  private readonly admission: Admission;
  private readonly picker: BatchPicker;
  private readonly rowlessOutputs: RowlessOutputs;
  private readonly delivery: Delivery;
  /** Rings when the queue delay of waiting rows is over. */
  private readonly delay = createAlarm(() => {
    this.dispatch();
    return Number.POSITIVE_INFINITY;
  });
  private readonly fits = (ticket: Ticket): boolean => this.hasRoom(ticket);
  private readonly enters = (ticket: Ticket): void => this.enter(ticket);
  private readonly onTurnEnd = (): void => {
    this.turnIsWatched = false;
    this.dispatch();
  };
  private readonly onLargeTurn = (): void => {
    this.largeTurn = "begun";
    this.dispatch();
    if (this.largeTurn === "begun") this.largeTurn = "none";
  };
  private runningRows = 0;
  private runningBatches = 0;
  private turnIsWatched = false;
  /** The turn for a batch of megabytes, whose inputs take long to copy. */
  private largeTurn: "none" | "awaited" | "begun" = "none";
  /** Takes no more entries, and lets none wait for others. */
  private isClosing = false;
  /** Begins no more batches. */
  private isStopped = false;
  /** Called when nothing runs. */
  private onQuiet: () => void = nothing;

  constructor(options: BatcherOptions) {
    const { pool, modelName, batching, log } = options;
    const { maxQueueRows = 8_192, maxQueueBytes = 64 * 1024 * 1024 } = options;
    const shape = batchShape(batching, options.maxBatchSize ?? 256, options.joinsEntries);
    this.options = options;
    this.pool = pool;
    this.others = options.otherQueues;
    this.maxQueueRows = maxQueueRows;
    this.maxDelayMs = (options.maxQueueDelayMicroseconds ?? 0) / 1000;
    this.maxRows = shape.maxRows;
    this.hasRows = batching !== "no-batch-dimension";
    this.admission = createAdmission(modelName, { maxQueueRows, maxQueueBytes }, this.drainRate);
    this.picker = new BatchPicker(this.queue, shape);
    this.rowlessOutputs = createRowlessOutputs(options.rowlessOutputNames ?? [], (output) =>
      log.warn({ model: modelName, output }, "an output has no rows: who asks for it runs alone"),
    );
    this.delivery = new Delivery(this.hasRows, shape.maxRows, this.rowlessOutputs, this.tickets, this);
    const onIdle = (): void => this.dispatch();
    pool.onIdle = onIdle;
  }

  enqueue(entry: Entry): Ticket | undefined {
    const refusal = this.refusalOf(entry);
    if (refusal !== undefined) return refused(entry, refusal);
    const now = performance.now();
    const ticket = createTicket(entry, now);
    // What waits for room is not overtaken by what would.
    const waits = entry.waitsForRoom === true;
    if (!(waits && !this.roomLine.isEmptyIn(entry.lane)) && this.hasRoom(ticket)) this.enter(ticket);
    else if (waits) this.roomLine.add(ticket);
    else return refused(entry, this.admission.queueFull(this.queue, entry));
    entry.times.enqueuedAt = now;
    this.tickets.add(ticket);
    this.onRows();
    return ticket;
  }

  cancel(ticket: Ticket): boolean {
    return this.tickets.cancel(ticket);
  }

  get depth(): Batcher["depth"] {
    const { queue, runningRows, tickets } = this;
    return { rows: queue.rows, bytes: queue.bytes, running: runningRows, entries: tickets.size };
  }

  async drain(): Promise<void> {
    this.isClosing = true;
    this.dispatch();
    await new Promise<void>((resolve) => {
      this.tickets.onEmpty = resolve;
      if (this.tickets.size === 0) resolve();
    });
  }

  async close(): Promise<void> {
    this.isClosing = true;
    this.isStopped = true;
    this.delay.close();
    await new Promise<void>((resolve) => {
      this.onQuiet = resolve;
      if (this.runningBatches === 0) resolve();
    });
    const error = this.shuttingDown();
    while (this.tickets.failSome(error)) await new Promise((resolve) => setImmediate(resolve));
    this.tickets.close();
  }

  onSettledWaiting(ticket: Ticket): void {
    if (ticket.waitsForRoom) this.roomLine.remove(ticket);
    else this.leaveQueue(ticket);
  }

  onThrown(error: unknown): void {
    this.options.log.error({ model: this.options.modelName, err: error }, "an entry's callback threw");
  }

  onOutputs(run: BatchRun, outputs: readonly TensorData[]): void {
    const now = performance.now();
    this.countEnded(run);
    this.drainRate.observe(run.rowCount, run.startedAt, now);
    this.options.counts?.ran(run.rowCount, now - run.startedAt, this.endOf(run));
    if (run.traces !== undefined) this.tellTraces(run, run.traces, now, undefined);
    this.delivery.deliver(run, outputs, now);
    if (this.runningBatches === 0) this.onQuiet();
  }

  onRunError(run: BatchRun, error: AssayError): void {
    this.countEnded(run);
    if (run.traces !== undefined) this.tellTraces(run, run.traces, performance.now(), error);
    this.runApartOrFail(run, error);
    this.dispatch();
    if (this.runningBatches === 0) this.onQuiet();
  }

  onIndivisible(run: BatchRun, error: AssayError): void {
    this.runApartOrFail(run, error);
    this.dispatch();
  }

  private refusalOf(entry: Entry): AssayError | undefined {
    if (this.isClosing) return this.shuttingDown();
    return this.pool.outage ?? this.admission.tooLarge(entry);
  }

  private shuttingDown(): AssayError {
    return new AssayError(Reason.SHUTTING_DOWN, `model ${this.options.modelName} takes no more requests`);
  }

  private hasRoom({ entry }: Ticket): boolean {
    const { queue, others } = this;
    if (others === undefined) return this.admission.hasRoom(entry, queue);
    const all = { rows: queue.rows + others.rows, bytes: queue.bytes + others.bytes };
    if (this.admission.hasRoom(entry, all)) return true;
    // Nothing of this queue would wake what waits for the room of others; where no instance is idle, the end of its run does.
    return entry.waitsForRoom === true && queue.rows === 0 && this.pool.idleCount > 0;
  }

  private enter(ticket: Ticket): void {
    this.queue.add(ticket, this.rowlessOutputs.areAvoidedBy(ticket.entry.outputNames));
    this.tellOthers();
  }

  private leaveQueue(ticket: Ticket): void {
    this.queue.remove(ticket);
    this.tellOthers();
  }

  private tellOthers(): void {
    this.others?.tell(this.queue.rows, this.queue.bytes);
  }

  /** Lets in what waits for the room that there is now. */
  private admitWaiting(): void {
    this.roomLine.admit(this.fits, this.enters);
  }

  private onRows(): void {
    if (this.turnIsWatched) return;
    const idleInstances = this.pool.idleCount;
    this.waitFor(
      whenToRun({ idleInstances, hasRows: true, turnIsOpen: true, mayGrow: true, delayLeftMs: 0 }),
    );
  }

  /** Begins what batches are to begin now; lets in what waits for the room that this makes. */
  private dispatch(): void {
    if (this.isStopped) return;
    const { outage } = this.pool;
    if (outage !== undefined && this.tickets.failSome(outage)) this.watchTurn();
    this.admitWaiting();
    while (this.pool.idleCount > 0 && !this.picker.isEmpty) {
      const now = performance.now();
      const parts = this.nextParts(now);
      if (parts === undefined) return;
      this.run(parts, now);
      this.admitWaiting();
    }
  }

  /** The rows of the batch that begins now; undefined where none does, and then what it waits for is watched. */
  private nextParts(now: number): Part[] | undefined {
    for (let late = 0; late < FAILED_A_TURN; ) {
      const plan = this.picker.plan(now);
      if (plan === undefined) return undefined;
      const { mayGrow } = plan;
      const delayLeftMs = this.isClosing ? 0 : this.maxDelayMs - plan.waitedMs;
      const idleInstances = this.pool.idleCount;
      const start = whenToRun({ idleInstances, hasRows: true, turnIsOpen: false, mayGrow, delayLeftMs });
      if (start !== "now") {
        this.waitFor(start);
        return undefined;
      }
      if (this.queue.bytes > LARGE_OCTETS && this.picker.bytesOf(plan) > LARGE_OCTETS && !this.takeTurn())
        return undefined;
      const parts = this.picker.take(plan);
      const taken = parts.length;
      this.tickets.dropLate(parts, now);
      this.tellOthers();
      if (parts.length > 0) return parts;
      late += taken;
    }
    this.watchTurn();
    return undefined;
  }

  /** Takes the turn for a large batch, or awaits one. */
  private takeTurn(): boolean {
    if (this.largeTurn === "begun") {
      this.largeTurn = "none";
      return true;
    }
    if (this.largeTurn === "none") {
      if (loopTurns.take()) return true;
      this.largeTurn = "awaited";
      loopTurns.later(this.onLargeTurn);
    }
    return false;
  }

  private waitFor(start: Start): void {
    if (start === "at-turn-end") this.watchTurn();
    else if (typeof start === "number") this.delay.set(performance.now() + start);
  }

  private watchTurn(): void {
    if (this.turnIsWatched) return;
    this.turnIsWatched = true;
    setImmediate(this.onTurnEnd);
  }

  private run(parts: readonly Part[], now: number): void {
    const run = new BatchRun(parts, this.hasRows, now, this);
    this.runningRows += run.rowCount;
    this.runningBatches++;
    this.pool.run(run);
  }

  /** Why a batch waited for no more rows. */
  private endOf({ rowCount }: BatchRun): BatchEnd {
    if (rowCount >= this.maxRows) return "full";
    return this.maxDelayMs > 0 ? "delay" : "idle";
  }

  private tellTraces(
    run: BatchRun,
    traces: readonly EntryTrace[],
    endedAt: number,
    error: AssayError | undefined,
  ): void {
    const { parts, rowCount, startedAt } = run;
    const end = this.endOf(run);
    const { modelName } = this.options;
    const entryCount = parts.length;
    traces[0]!.onRun({ traces, modelName, entryCount, rowCount, startedAt, endedAt, end, error });
  }

  private countEnded(run: BatchRun): void {
    this.runningRows -= run.rowCount;
    this.runningBatches--;
  }

  /** One row that a model cannot take must not fail other callers: halves of a failed batch run apart until it is alone. */
  private runApartOrFail({ parts }: BatchRun, error: AssayError): void {
    if (OF_THE_ROWS.has(error.reason) && parts.length > 1) {
      this.picker.halve(parts);
      return;
    }
    const now = performance.now();
    for (const { ticket } of parts) this.tickets.fail(ticket, error, now);
  }
}

function refused(entry: Entry, error: AssayError): undefined {
  entry.onError(error);
  return undefined;
}

function nothing(): void {}
