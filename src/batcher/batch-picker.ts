import { type BatchShape, bulkBatchRows, leadingLane, nextBulkCredit, splitLanes } from "./batch-policy.ts";
import type { Lane } from "./batcher.ts";
import type { EntryQueue } from "./queue.ts";
import type { Part, Ticket } from "./ticket.ts";

/** The batch that is next: a half of one that failed, or rows from the queue, which may grow until it is taken. */
export type BatchPlan = HalfPlan | QueuePlan;

interface HalfPlan {
  readonly kind: "half";
  readonly mayGrow: false;
  readonly waitedMs: 0;
}

interface QueuePlan {
  readonly kind: "queue";
  readonly mayGrow: boolean;
  /** How long its oldest row has waited. */
  readonly waitedMs: number;
  readonly head: Ticket;
  readonly lead: Lane;
  readonly mostRows: number;
  readonly joinsEntries: boolean;
  readonly bothWait: boolean;
}

const HALF: HalfPlan = { kind: "half", mayGrow: false, waitedMs: 0 };

/** Takes batches out of a queue as the policy says. */
export class BatchPicker {
  private readonly queue: EntryQueue;
  private readonly shape: BatchShape;
  /** Halves of batches that failed. */
  private readonly halves: Part[][] = [];
  private bulkCredit = 0;
  private interactiveAt = Number.NEGATIVE_INFINITY;

  constructor(queue: EntryQueue, shape: BatchShape) {
    this.queue = queue;
    this.shape = shape;
  }

  /** Puts a batch that failed before all others, in two halves; it must have more than one part. */
  halve(parts: readonly Part[]): void {
    const half = parts.length >> 1;
    this.halves.push(parts.slice(0, half), parts.slice(half));
  }

  /** Nothing waits. */
  get isEmpty(): boolean {
    const { queue, halves } = this;
    return (
      queue.first("interactive") === undefined && queue.first("bulk") === undefined && halves.length === 0
    );
  }

  /** The batch that is next, from what there is now; undefined where nothing waits. */
  plan(now: number): BatchPlan | undefined {
    if (this.halves.length > 0) return HALF;
    const interactive = this.queue.first("interactive");
    const bulk = this.queue.first("bulk");
    if (interactive !== undefined) this.interactiveAt = now;
    const { maxRows } = this.shape;
    const waits = { interactive: interactive !== undefined, bulk: bulk !== undefined };
    const lead = leadingLane(waits, this.bulkCredit, maxRows);
    const head = lead === "bulk" ? bulk : interactive;
    if (head === undefined) return undefined;
    const group = head.group!;
    const joinsEntries = this.shape.joinsEntries && group.joinsEntries;
    const mostRows = interactive === undefined ? bulkBatchRows(maxRows, now - this.interactiveAt) : maxRows;
    return {
      kind: "queue",
      mayGrow: joinsEntries && group.interactiveRows + group.bulkRows < mostRows,
      waitedMs: now - head.enqueuedAt,
      head,
      lead,
      mostRows,
      joinsEntries,
      bothWait: waits.interactive && waits.bulk,
    };
  }

  /** About what the inputs of a plan's batch take. */
  bytesOf(plan: BatchPlan): number {
    if (plan.kind === "half") return 0;
    const { rows, bytes } = this.queue;
    const { byteCount, rowCount } = plan.head.entry;
    const first = plan.mostRows < rowCount && this.shape.splitsEntries ? plan.mostRows / rowCount : 1;
    return Math.max(byteCount * first, bytes * Math.min(1, plan.mostRows / rows));
  }

  /** Takes the batch of a plan, which must have been made just now. */
  take(plan: BatchPlan): Part[] {
    if (plan.kind === "half") return this.halves.shift() ?? [];
    const { queue, bulkCredit } = this;
    const { maxRows, splitsEntries } = this.shape;
    const { head, lead, mostRows, joinsEntries, bothWait } = plan;
    const parts: Part[] = [];
    const bulkBefore = queue.laneRows.bulk;
    if (joinsEntries) {
      const group = head.group!;
      const rows = { interactive: group.interactiveRows, bulk: group.bulkRows };
      const split = splitLanes(rows, mostRows, lead, bulkCredit);
      queue.take(group, "interactive", split.interactive, parts);
      queue.take(group, "bulk", split.bulk, parts);
    } else {
      queue.takeFrom(head, splitsEntries ? maxRows : Number.MAX_SAFE_INTEGER, parts);
    }
    this.bulkCredit = nextBulkCredit(bulkCredit, maxRows, bulkBefore - queue.laneRows.bulk, bothWait);
    return parts;
  }
}
