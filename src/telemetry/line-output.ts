/**
 * Lines to standard output or standard error that never hold the process, end it or grow it. Comes in: whole lines. Goes out:
 * each as it came, in order, or none of it. Promises: a disk that is full, a pipe that nobody reads and one whose reader has gone
 * cost lines, which are counted; the count is told once writing works again. What waits for a slow reader is bounded in bytes.
 */
import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { limitHit } from "../limits.ts";

/** What waits for a reader, unless the one who makes the output knows better. */
const LIMIT_BYTES = 2 ** 20;
const RETRY_FULL_MS = 20;
const RETRY_FAILED_MS = 1000;

/** Options of an output. */
export interface LineOutputOptions {
  /** Most bytes that wait; default 1 MiB. */
  readonly limitBytes?: number;
  /** The line, its end included, that tells of dropped ones; by default none is written. `cause` is an errno, or "slow reader". */
  readonly tellDropped?: (count: number, cause: string) => string;
}

/** A line; or the notice that stands for the lines that were dropped at its place. */
interface Waiting {
  bytes: Buffer;
  readonly stands: number;
}

/** Lines to an open file descriptor, which stays open. */
export class LineOutput {
  readonly #fd: number;
  readonly #limitBytes: number;
  readonly #tellDropped: LineOutputOptions["tellDropped"];
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #cause = "";
  /** The reader takes nothing: what comes waits for the timer. */
  #isFull = false;
  /** The first that waits is written in part. */
  #isBegun = false;
  /** A line was written in part when writing failed: the next one starts anew. */
  #isTorn = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(fd: number, options: LineOutputOptions = {}) {
    this.#fd = withoutWaiting(fd);
    this.#limitBytes = options.limitBytes ?? LIMIT_BYTES;
    this.#tellDropped = options.tellDropped;
  }

  /** Writes a line, its end included; never throws and never waits. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes.length > this.#limitBytes) {
      this.#dropped++;
      this.#cause = "slow reader";
      limitHit("log-bytes");
      return;
    }
    this.#pushNotice();
    this.#push({ bytes, stands: 1 });
    if (!this.#isFull) this.#send();
  }

  /** Writes what waits, for at most so long: for the end of the process. */
  flush(limitMs: number): void {
    const end = performance.now() + limitMs;
    const never = new Int32Array(new SharedArrayBuffer(4));
    this.#send();
    while (this.#waiting.length > 0 && performance.now() < end) {
      Atomics.wait(never, 0, 0, 5);
      this.#send();
    }
  }

  #send(): void {
    try {
      for (;;) {
        const next = this.#waiting[0];
        if (next === undefined && !this.#pushNotice()) break;
        if (next !== undefined) this.#sendOne(next);
      }
      this.#isFull = false;
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      this.#isFull = code === "EAGAIN";
      if (!this.#isFull) this.#dropWaiting(code);
      this.#retryLater();
    }
  }

  #sendOne(one: Waiting): void {
    if (this.#isTorn) {
      writeSync(this.#fd, "\n");
      this.#isTorn = false;
    }
    while (one.bytes.length > 0) {
      const count = writeSync(this.#fd, one.bytes);
      this.#waitingBytes -= count;
      one.bytes = one.bytes.subarray(count);
      this.#isBegun = one.bytes.length > 0;
    }
    this.#waiting.shift();
  }

  #dropWaiting(cause: string): void {
    this.#isTorn ||= this.#isBegun;
    this.#isBegun = false;
    for (const { stands } of this.#waiting) this.#dropped += stands;
    this.#cause = cause;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }

  #pushNotice(): boolean {
    if (this.#dropped === 0 || this.#tellDropped === undefined) return false;
    const stands = this.#dropped;
    this.#dropped = 0;
    this.#push({ bytes: Buffer.from(this.#tellDropped(stands, this.#cause)), stands });
    return true;
  }

  #push(one: Waiting): void {
    this.#waiting.push(one);
    this.#waitingBytes += one.bytes.length;
  }

  #retryLater(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#send();
      },
      this.#isFull ? RETRY_FULL_MS : RETRY_FAILED_MS,
    ).unref();
  }
}

/**
 * A descriptor of the same place whose writes fail with EAGAIN where they would wait. It is opened anew where that can be, so
 * that a terminal or a pipe that is shared with others stays as it is for them.
 */
function withoutWaiting(fd: number): number {
  try {
    if (fstatSync(fd).isFile()) return fd;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // A socket cannot be opened, nor what belongs to another user: the stream that Node makes of it turns waiting off.
    if (fd === 1) void process.stdout;
    if (fd === 2) void process.stderr;
    return fd;
  }
}
