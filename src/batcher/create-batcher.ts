import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import { createAlarm } from "../timing/alarm.ts";
import { DeadlineWheel } from "../timing/deadline-wheel.ts";
import { createAdmission } from "./admission.ts";
import { createBatchPicker } from "./batch-picker.ts";
import { batchShape } from "./batch-policy.ts";
import { createBatch } from "./batch-run.ts";
import type { Batcher, Entry } from "./batcher.ts";
import type { BatcherOptions } from "./batcher-options.ts";
import { createDelivery } from "./delivery.ts";
import { createDrainRate } from "./drain-rate.ts";
import { missedDeadline } from "./missed-deadline.ts";
import { createQueue } from "./queue.ts";
import { createRoomLine } from "./room-line.ts";
import { createRowlessOutputs } from "./rowless-outputs.ts";
import { createTicket, type Part, type Ticket, wantedOutputs } from "./ticket.ts";

/** An error costs its caller some microseconds, and hundreds of thousands may wait: so many are failed before others have their turn. */
const FAILED_A_TURN = 512;

/** Why a batch may fail where the rows of one of its callers alone would not. */
const OF_THE_ROWS: ReadonlySet<Reason> = new Set([
  Reason.RUN_FAILED,
  Reason.OUTPUT_TOO_LARGE,
  Reason.REQUEST_TOO_LARGE,
]);

/** Makes the batcher of one model version; `batcher.ts` says what it promises. */
export function createBatcher(options: BatcherOptions): Batcher {
  const { pool, modelName, batching, maxQueueRows = 8_192, maxQueueBytes = 64 * 1024 * 1024 } = options;
  const { maxQueueDelayMicroseconds = 0 } = options;
  const shape = batchShape(batching, options.maxBatchSize ?? 256);
  const hasRows = batching !== "no-batch-dimension";
  const queue = createQueue();
  const picker = createBatchPicker(queue, shape, maxQueueDelayMicroseconds);
  const roomLine = createRoomLine();
  /** Every entry that waits or runs. */
  const tickets = new DeadlineWheel<Ticket>(performance.now());
  /** Parts of batches that failed, to be run apart. */
  const retries: Part[][] = [];
  const rowlessOutputs = createRowlessOutputs(options.rowlessOutputNames ?? [], (output) =>
    options.log.warn({ model: modelName, output }, "an output has no rows: who asks for it runs alone"),
  );
  const deliver = createDelivery({
    hasRows,
    maxRows: shape.maxRows,
    rowlessOutputs,
    answer,
    fail,
    onIndivisible(parts, error) {
      if (!runApart(parts, error)) fail(parts[0]!.ticket, error);
      else dispatch();
    },
  });
  const drainRate = createDrainRate();
  const admission = createAdmission(modelName, { maxQueueRows, maxQueueBytes }, drainRate);
  const deadlines = createAlarm(expire);
  const gathering = createAlarm(() => {
    dispatch();
    return Number.POSITIVE_INFINITY;
  });
  let runningRows = 0;
  let runningBatches = 0;
  let isTurnWatched = false;
  let closing = false;
  let stopped = false;
  /** Called when nothing runs. */
  let onQuiet = (): void => {};
  let onDrained = (): void => {};

  function settle(ticket: Ticket): void {
    ticket.isSettled = true;
    if (ticket.waitsForRoom) roomLine.remove(ticket);
    else queue.remove(ticket);
    tickets.remove(ticket);
    if (closing) checkDrained();
  }

  function checkDrained(): void {
    if (tickets.size === 0) onDrained();
  }

  function fail(ticket: Ticket, error: AssayError): void {
    if (ticket.isSettled) return;
    settle(ticket);
    try {
      ticket.entry.onError(error);
    } catch (thrown) {
      callbackThrew(thrown);
    }
  }

  /** Fails as many as one turn may; false once there are no more. */
  function failSome(error: AssayError): boolean {
    for (const ticket of tickets.some(FAILED_A_TURN)) fail(ticket, error);
    return tickets.size > 0;
  }

  /** A caller's callback that throws is a bug there and must not take the others' answers. */
  function callbackThrew(error: unknown): void {
    options.log.error({ model: modelName, err: error }, "an entry's callback threw");
  }

  function expire(now: number): number {
    const late = tickets.late(now, FAILED_A_TURN);
    for (const ticket of late) failLate(ticket, now);
    if (closing) checkDrained();
    return late.length === FAILED_A_TURN ? now : tickets.nextAt;
  }

  function failLate(ticket: Ticket, now: number): void {
    if (ticket.isSettled) return;
    const hasBegun = !ticket.waitsForRoom && (!ticket.isWaiting || ticket.nextRow > 0);
    fail(ticket, missedDeadline(ticket.entry, ticket.enqueuedAt, now, hasBegun));
  }

  /** Runs what waits while an instance is idle; lets in what waits for the room that this makes. */
  function dispatch(): void {
    if (stopped) return;
    const outage = pool.outage;
    if (outage !== undefined && failSome(outage)) watchTurn();
    roomLine.admit(hasRoom, enter);
    while (pool.idleCount > 0) {
      const parts = nextParts();
      if (parts === undefined) return;
      run(parts);
      roomLine.admit(hasRoom, enter);
    }
  }

  function hasRoom({ entry }: Ticket): boolean {
    return admission.hasRoom({ rows: entry.rowCount, bytes: entry.byteCount }, entry.lane, queue);
  }

  function enter(ticket: Ticket): void {
    queue.add(ticket, rowlessOutputs.areAvoidedBy(ticket.entry.outputNames));
  }

  /** The rows of the next batch; undefined where none is to run now. */
  function nextParts(): Part[] | undefined {
    for (let retry = retries.shift(); retry !== undefined; retry = retries.shift()) {
      const live = retry.filter((part) => !part.ticket.isSettled);
      if (live.length > 0) return live;
    }
    const now = performance.now();
    for (let late = 0; ; ) {
      const pick = picker.next(now, maxQueueDelayMicroseconds > 0 && !closing);
      if (pick === undefined) return undefined;
      if (pick.kind === "wait") {
        // Timers have whole milliseconds: what is left of the delay after the last whole one is waited turn by turn.
        if (pick.waitMs >= 1) gathering.set(now + Math.floor(pick.waitMs));
        else watchTurn();
        return undefined;
      }
      const live = pick.parts.filter((part) => isInTime(part.ticket, now));
      if (live.length > 0) return live;
      late += pick.parts.length;
      if (late < FAILED_A_TURN) continue;
      watchTurn();
      return undefined;
    }
  }

  function isInTime(ticket: Ticket, now: number): boolean {
    if (ticket.entry.deadlineAt <= now) failLate(ticket, now);
    return !ticket.isSettled;
  }

  function run(parts: readonly Part[]): void {
    let rowCount = 0;
    for (const part of parts) rowCount += part.rowCount;
    const startedAt = performance.now();
    runningRows += rowCount;
    runningBatches++;
    const ended = (): void => {
      runningRows -= rowCount;
      runningBatches--;
    };
    pool.run(
      createBatch(parts, rowCount, hasRows, {
        onOutputs(outputs) {
          ended();
          drainRate.observe(rowCount, startedAt, performance.now());
          deliver(parts, rowCount, outputs);
          if (runningBatches === 0) onQuiet();
        },
        onError(error) {
          ended();
          if (!runApart(parts, error)) for (const { ticket } of parts) fail(ticket, error);
          dispatch();
          if (runningBatches === 0) onQuiet();
        },
      }),
    );
  }

  /** One row that a model cannot take must not fail other callers: halves of a failed batch run apart until it is alone. */
  function runApart(parts: readonly Part[], error: AssayError): boolean {
    if (!OF_THE_ROWS.has(error.reason) || parts.length < 2) return false;
    const half = parts.length >> 1;
    retries.push(parts.slice(0, half), parts.slice(half));
    return true;
  }

  function answer(ticket: Ticket, outputs: readonly TensorData[]): void {
    if (ticket.isSettled) return;
    settle(ticket);
    try {
      ticket.entry.onOutputs(wantedOutputs(outputs, ticket.entry.outputNames));
    } catch (thrown) {
      callbackThrew(thrown);
    }
  }

  function refusal(entry: Entry): AssayError | undefined {
    if (closing) return new AssayError(Reason.SHUTTING_DOWN, `model ${modelName} takes no more requests`);
    return pool.outage ?? admission.tooLarge({ rows: entry.rowCount, bytes: entry.byteCount });
  }

  /** What comes in one turn of the event loop, on however many sockets, runs together: a third cheaper with 8 callers. */
  function watchTurn(): void {
    if (isTurnWatched) return;
    isTurnWatched = true;
    setImmediate(endOfTurn);
  }

  function endOfTurn(): void {
    isTurnWatched = false;
    dispatch();
  }

  pool.onIdle = dispatch;

  return {
    enqueue(entry) {
      const error = refusal(entry);
      if (error !== undefined) {
        entry.onError(error);
        return undefined;
      }
      const ticket = createTicket(entry, performance.now());
      // What waits for room is not overtaken by what would.
      const waits = entry.waitsForRoom === true;
      if (!(waits && !roomLine.isEmptyIn(entry.lane)) && hasRoom(ticket)) enter(ticket);
      else if (waits) roomLine.add(ticket);
      else {
        entry.onError(admission.queueFull(queue));
        return undefined;
      }
      tickets.add(ticket);
      deadlines.set(entry.deadlineAt);
      if (pool.idleCount > 0) watchTurn();
      return ticket;
    },
    cancel(ticket) {
      if (!ticket.isSettled) settle(ticket);
    },
    maxQueueRows,
    get depth() {
      return { rows: queue.rows, bytes: queue.bytes, running: runningRows };
    },
    async drain() {
      closing = true;
      dispatch();
      await new Promise<void>((resolve) => {
        onDrained = resolve;
        checkDrained();
      });
    },
    async close() {
      closing = true;
      stopped = true;
      gathering.close();
      await new Promise<void>((resolve) => {
        onQuiet = resolve;
        if (runningBatches === 0) resolve();
      });
      const error = new AssayError(Reason.SHUTTING_DOWN, `model ${modelName} takes no more requests`);
      while (failSome(error)) await new Promise((resolve) => setImmediate(resolve));
      deadlines.close();
    },
  };
}
