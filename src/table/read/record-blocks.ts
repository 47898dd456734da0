import type { Readable } from "node:stream";
import { tableError } from "../table-error.ts";
import { countLines, createCsvScanner } from "./csv-records.ts";

const BLOCK_BYTES = 8 << 20;
const START_BYTES = 64 << 10;
const LONGEST_RECORD_BYTES = 64 << 20;
/** How long a stream may pause before the records that are there are handed on. */
const PAUSE_MS = 250;

/** Whole records, as they came. */
export interface RecordBlock {
  readonly bytes: Buffer;
  /** Lines of the stream before the first. */
  readonly linesBefore: number;
}

/**
 * Cuts a stream at the ends of records: lines, or CSV records where `csv` is given. Blocks have about 8 MB, or what came
 * before a pause. `parts` reads the input. Throws a TABLE_INVALID for a record of more than 64 MB.
 */
export async function* recordBlocks(
  name: string,
  input: Readable,
  parts: AsyncIterator<Buffer>,
  csv: { readonly delimiter?: string | undefined; readonly quote?: string | undefined } | undefined,
): AsyncGenerator<RecordBlock> {
  const scanner = createCsvScanner(csv?.delimiter ?? "\n", csv?.quote ?? "");
  let held: Buffer[] = [];
  let heldBytes = 0;
  let heldFrom = 0;
  let linesBefore = 0;
  let part = parts.next();

  const take = (end: number): RecordBlock => {
    const all = Buffer.concat(held);
    const bytes = all.subarray(0, end - heldFrom);
    const rest = all.subarray(end - heldFrom);
    held = rest.length > 0 ? [rest] : [];
    heldBytes = rest.length;
    heldFrom = end;
    const block = { bytes, linesBefore };
    linesBefore += countLines(bytes);
    return block;
  };

  try {
    for (;;) {
      const hasRecords = scanner.seen.recordsEnd > heldFrom;
      if (hasRecords && (heldBytes >= BLOCK_BYTES || (await pauses(part)))) {
        yield take(scanner.seen.recordsEnd);
        continue;
      }
      const { done, value } = await part;
      if (done) break;
      scanner.scan(value);
      held.push(value);
      heldBytes += value.length;
      if (heldBytes >= LONGEST_RECORD_BYTES && scanner.seen.recordsEnd === heldFrom) {
        throw tableError(
          `${name}, line ${linesBefore + 1}: a record of more than ${LONGEST_RECORD_BYTES >> 20} MB; ` +
            "is a quote not closed?",
        );
      }
      part = parts.next();
      part.catch(() => {});
    }
    if (heldBytes > 0) yield take(heldFrom + heldBytes);
  } finally {
    input.destroy();
  }
}

/**
 * Reads what a stream begins with: 64 KB, or what came before its end or a pause. Gives it, and all parts from the start.
 */
export async function peekStart(
  parts: AsyncIterator<Buffer>,
): Promise<{ start: Buffer; parts: AsyncGenerator<Buffer> }> {
  const first = await parts.next();
  const held = first.done ? [] : [first.value];
  let length = held[0]?.length ?? 0;
  let next = first.done ? Promise.resolve(first) : parts.next();
  next.catch(() => {});
  while (length < START_BYTES && !(await pauses(next))) {
    const { done, value } = await next;
    if (done) break;
    held.push(value);
    length += value.length;
    next = parts.next();
    next.catch(() => {});
  }
  const start = Buffer.concat(held);
  async function* all(): AsyncGenerator<Buffer> {
    if (start.length > 0) yield start;
    for (let part = await next; !part.done; part = await parts.next()) yield part.value;
  }
  return { start, parts: all() };
}

async function pauses(part: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const paused = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, PAUSE_MS, true);
  });
  try {
    return await Promise.race([part.then(() => false), paused]);
  } finally {
    clearTimeout(timer);
  }
}
