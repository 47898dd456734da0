import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { Pool } from "../pool/pool.ts";
import type { Log } from "../telemetry/log.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import { createAdmission } from "./admission.ts";
import { createAlarm } from "./alarm.ts";
import { createBatchPicker } from "./batch-picker.ts";
import { type Batching, batchShape } from "./batch-policy.ts";
import { createBatch } from "./batch-run.ts";
import type { Batcher, Entry } from "./batcher.ts";
import { createDrainRate } from "./drain-rate.ts";
import { createJoinedOutputs, sliceRows } from "./joined-outputs.ts";
import { createQueue } from "./queue.ts";
import { createRowlessOutputs } from "./rowless-outputs.ts";
import { type Part, type Ticket, wantedOutputs } from "./ticket.ts";

/** What a batcher is made with; the defaults are the server's. */
export interface BatcherOptions {
  /** The batcher sets its `onIdle`; whoever made the pool closes it, after the batcher. */
  readonly pool: Pool;
  /** For messages. */
  readonly modelName: string;
  readonly batching: Batching;
  /** Outputs that are known not to have a row for each row of a batch; others are found when they come. */
  readonly rowlessOutputNames?: readonly string[];
  /** The most rows in one run; default 256. */
  readonly maxBatchSize?: number;
  /** How long rows may wait for others while an instance is idle; default 0. */
  readonly maxQueueDelayMicroseconds?: number;
  /** The most rows that wait; default 8,192. */
  readonly maxQueueRows?: number;
  /** The most bytes that wait; default 64 MiB. */
  readonly maxQueueBytes?: number;
  readonly log: Log;
}

/** Makes the batcher of one model version; `batcher.ts` says what it promises. */
export function createBatcher(options: BatcherOptions): Batcher {
  const { pool, modelName, batching, maxQueueRows = 8_192, maxQueueBytes = 64 * 1024 * 1024 } = options;
  const { maxQueueDelayMicroseconds = 0 } = options;
  const shape = batchShape(batching, options.maxBatchSize ?? 256);
  const hasRows = batching !== "no-batch-dimension";
  const queue = createQueue();
  const picker = createBatchPicker(queue, shape, maxQueueDelayMicroseconds);
  /** Every entry that is not answered. */
  const tickets = new Map<Entry, Ticket>();
  /** Parts of batches that failed, to be run apart. */
  const retries: Part[][] = [];
  const rowlessOutputs = createRowlessOutputs(options.rowlessOutputNames ?? [], (output) =>
    options.log.warn({ model: modelName, output }, "an output has no rows: who asks for it runs alone"),
  );
  const drainRate = createDrainRate();
  const admit = createAdmission(modelName, { maxQueueRows, maxQueueBytes }, drainRate);
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
    queue.remove(ticket);
    tickets.delete(ticket.entry);
    if (closing && tickets.size === 0) onDrained();
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

  /** A caller's callback that throws is a bug there and must not take the others' answers. */
  function callbackThrew(error: unknown): void {
    options.log.error({ model: modelName, err: error }, "an entry's callback threw");
  }

  function expire(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const ticket of tickets.values()) {
      const { deadlineAt } = ticket.entry;
      if (deadlineAt <= now) fail(ticket, deadlineExceeded(ticket, now));
      else if (deadlineAt < next) next = deadlineAt;
    }
    return next;
  }

  /** Runs what waits while an instance is idle. */
  function dispatch(): void {
    if (stopped) return;
    const outage = pool.outage;
    if (outage !== undefined) for (const ticket of tickets.values()) fail(ticket, outage);
    while (pool.idleCount > 0) {
      const parts = nextParts();
      if (parts === undefined) return;
      run(parts);
    }
  }

  /** The rows of the next batch; undefined where none is to run now. */
  function nextParts(): Part[] | undefined {
    for (let retry = retries.shift(); retry !== undefined; retry = retries.shift()) {
      const live = retry.filter((part) => !part.ticket.isSettled);
      if (live.length > 0) return live;
    }
    const now = performance.now();
    for (;;) {
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
    }
  }

  function isInTime(ticket: Ticket, now: number): boolean {
    if (ticket.entry.deadlineAt <= now) fail(ticket, deadlineExceeded(ticket, now));
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
    const isOfRows = error.reason === Reason.RUN_FAILED || error.reason === Reason.OUTPUT_TOO_LARGE;
    if (!isOfRows || parts.length < 2) return false;
    const half = parts.length >> 1;
    retries.push(parts.slice(0, half), parts.slice(half));
    return true;
  }

  function deliver(parts: readonly Part[], rowCount: number, outputs: readonly TensorData[]): void {
    const whole = parts.length === 1 && parts[0]!.rowCount === parts[0]!.ticket.entry.rowCount;
    if (whole || !hasRows) {
      answer(parts[0]!.ticket, outputs);
      return;
    }
    if (!rowlessOutputs.areAbsentFrom(outputs, rowCount)) {
      const shapes = outputs.map((output) => `"${output.name}" [${output.shape}]`).join(", ");
      const error = new AssayError(
        Reason.RUN_FAILED,
        `the outputs do not have one row for each of the ${rowCount} rows: ${shapes}; send at most ${shape.maxRows} rows in one request`,
      );
      if (!runApart(parts, error)) fail(parts[0]!.ticket, error);
      else dispatch();
      return;
    }
    let batchRow = 0;
    for (const part of parts) {
      deliverPart(part, sliceRows(outputs, batchRow, part.rowCount, rowCount));
      batchRow += part.rowCount;
    }
  }

  function deliverPart(part: Part, outputs: readonly TensorData[]): void {
    const { ticket } = part;
    if (ticket.isSettled) return;
    const { entry } = ticket;
    if (part.rowCount === entry.rowCount) {
      answer(ticket, outputs);
      return;
    }
    ticket.joined ??= createJoinedOutputs(entry.rowCount);
    try {
      ticket.joined.add(outputs, part.fromRow);
    } catch (error) {
      fail(ticket, error as AssayError);
      return;
    }
    ticket.answeredRows += part.rowCount;
    if (ticket.answeredRows === entry.rowCount) answer(ticket, ticket.joined.outputs);
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
    if (pool.outage !== undefined) return pool.outage;
    return admit({ rows: entry.rowCount, bytes: entry.byteCount }, entry.lane, queue);
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
        return;
      }
      tickets.set(entry, queue.add(entry, performance.now(), rowlessOutputs.areAvoidedBy(entry.outputNames)));
      deadlines.set(entry.deadlineAt);
      if (pool.idleCount > 0) watchTurn();
    },
    cancel(entry) {
      const ticket = tickets.get(entry);
      if (ticket !== undefined) settle(ticket);
    },
    get depth() {
      return { rows: queue.rows, bytes: queue.bytes, running: runningRows };
    },
    async drain() {
      closing = true;
      dispatch();
      await new Promise<void>((resolve) => {
        onDrained = resolve;
        if (tickets.size === 0) resolve();
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
      for (const ticket of tickets.values()) fail(ticket, error);
      deadlines.close();
    },
  };
}

function deadlineExceeded(ticket: Ticket, now: number): AssayError {
  if (ticket.entry.deadlineAt <= ticket.enqueuedAt) {
    return new AssayError(Reason.DEADLINE_EXCEEDED, "the deadline had passed when the rows came");
  }
  const waitedMs = Math.round(now - ticket.enqueuedAt);
  const where = ticket.isWaiting && ticket.nextRow === 0 ? "waiting to run" : "running";
  return new AssayError(
    Reason.DEADLINE_EXCEEDED,
    `the deadline passed after ${waitedMs} ms, the rows were still ${where}`,
  );
}
