/** Decides when the next batch begins and what goes into it. Pure: the queue and the clock are the batcher's. */
import type { Batching, Lane } from "./batcher.ts";

/** The state of queue and instances when the batcher looks whether a batch begins. */
export interface Moment {
  /** Instances that could take a batch. */
  readonly idleInstances: number;
  /** Rows wait in the queue, or halves of a batch that failed. */
  readonly hasRows: boolean;
  /** Rows came in this turn of the event loop, and more may come before it ends. */
  readonly turnIsOpen: boolean;
  /** The batch is not full, and rows that are still to come could share it. */
  readonly mayGrow: boolean;
  /** What is left of the queue delay for its oldest row. */
  readonly delayLeftMs: number;
}

/**
 * When the batch begins: now; when this turn of the event loop, or of one more, has ended; in so many milliseconds; or not
 * before rows come or an instance is idle, whichever lacks.
 */
export type Start = "now" | "at-turn-end" | "on-change" | number;

/** Decides when the next batch begins. */
export function whenToRun(moment: Moment): Start {
  const { idleInstances, hasRows, turnIsOpen, mayGrow, delayLeftMs } = moment;
  if (!hasRows || idleInstances === 0) return "on-change";
  // What comes in one turn, on however many sockets, runs together: a third cheaper with 8 callers.
  if (turnIsOpen) return "at-turn-end";
  if (!mayGrow || delayLeftMs <= 0) return "now";
  // Timers have whole milliseconds: what is left after the last whole one is waited turn by turn.
  return delayLeftMs < 1 ? "at-turn-end" : Math.floor(delayLeftMs);
}

/** Of the rows of a full batch, the share that bulk entries get while interactive ones wait as well. */
export const BULK_SHARE = 1 / 8;

/** While interactive entries come, a batch of bulk rows alone has this share of the most: whoever comes next waits for it. */
const BESIDE_SHARE = 1 / 2;
/** Interactive entries count as coming for this long after the last one. */
const BESIDE_MS = 100;

/** The most rows of a batch without interactive ones, `sinceInteractiveMs` after a batch with such. */
export function bulkBatchRows(maxRows: number, sinceInteractiveMs: number): number {
  return sinceInteractiveMs >= BESIDE_MS ? maxRows : Math.max(1, Math.floor(maxRows * BESIDE_SHARE));
}

/** Rows of each lane. */
export interface LaneRows {
  readonly interactive: number;
  readonly bulk: number;
}

/** The most rows of a batch, and whether entries may share one or be split over several. */
export interface BatchShape {
  readonly maxRows: number;
  readonly joinsEntries: boolean;
  /** False where rows may influence each other: an entry is one run, whatever its rows. */
  readonly splitsEntries: boolean;
}

/** The batches that a model's way of batching allows, and whoever asked for it not to join entries. */
export function batchShape(batching: Batching, maxBatchSize: number, joinsEntries = true): BatchShape {
  switch (batching) {
    case "across-requests":
      return { maxRows: maxBatchSize, joinsEntries, splitsEntries: true };
    case "within-request":
      return { maxRows: maxBatchSize, joinsEntries: false, splitsEntries: false };
    case "single-rows":
    case "no-batch-dimension":
      return { maxRows: 1, joinsEntries: false, splitsEntries: true };
  }
}

/**
 * The lane whose oldest entry leads the next batch. Interactive, unless bulk is owed a whole batch: that is how bulk entries
 * go on that cannot share a batch with the interactive ones.
 */
export function leadingLane(
  waits: { readonly interactive: boolean; readonly bulk: boolean },
  bulkCredit: number,
  maxRows: number,
): Lane {
  if (!waits.bulk) return "interactive";
  return !waits.interactive || bulkCredit >= maxRows ? "bulk" : "interactive";
}

/**
 * Fills a batch from the rows of one shape. Bulk gets the whole rows that it is owed with this batch; interactive rows take the
 * rest. Bulk does not fill what they leave: whoever waits for an answer would wait for those rows as well, and bulk has the
 * next batch to itself where nobody else waits.
 */
export function splitLanes(waiting: LaneRows, maxRows: number, lead: Lane, bulkCredit: number): LaneRows {
  const owed = lead === "bulk" ? maxRows : Math.floor(bulkCredit + maxRows * BULK_SHARE);
  const bulk = waiting.interactive === 0 ? waiting.bulk : Math.min(owed, waiting.bulk);
  const reserved = Math.min(bulk, maxRows);
  return { interactive: Math.min(waiting.interactive, maxRows - reserved), bulk: reserved };
}

/** The rows that bulk is owed after a batch; nothing where only one lane waited. */
export function nextBulkCredit(
  bulkCredit: number,
  maxRows: number,
  bulkTaken: number,
  bothWaited: boolean,
): number {
  if (!bothWaited) return 0;
  return Math.min(maxRows, Math.max(0, bulkCredit + maxRows * BULK_SHARE - bulkTaken));
}
