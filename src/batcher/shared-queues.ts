import type { OtherQueues } from "./batcher.ts";

const WORDS = 2;
const BYTES_A_NUMBER = 8;

/** Makes the memory in which so many queues of one model, each in a thread of its own, tell what waits in them. */
export function sharedQueueMemory(queueCount: number): SharedArrayBuffer {
  return new SharedArrayBuffer(queueCount * WORDS * BYTES_A_NUMBER);
}

/**
 * One of the queues of a model, which begins empty; `place` counts from 0. Each writes its own numbers and reads those of the others, which
 * may be some microseconds old: limits may be passed by what comes in that time.
 */
export class SharedQueues implements OtherQueues {
  private readonly numbers: Float64Array;
  private readonly at: number;

  constructor(memory: SharedArrayBuffer, place: number) {
    this.numbers = new Float64Array(memory);
    this.at = place * WORDS;
    this.tell(0, 0);
  }

  get rows(): number {
    return this.sum(0);
  }

  get bytes(): number {
    return this.sum(1);
  }

  tell(rows: number, bytes: number): void {
    this.numbers[this.at] = rows;
    this.numbers[this.at + 1] = bytes;
  }

  private sum(word: number): number {
    let sum = -this.numbers[this.at + word]!;
    for (let at = word; at < this.numbers.length; at += WORDS) sum += this.numbers[at]!;
    return sum;
  }
}
