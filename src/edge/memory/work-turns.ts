import type { CallMemory } from "./call-memory.ts";

interface Waiting {
  readonly memory: CallMemory;
  readonly wake: () => void;
}

/** Lets a few pieces of heavy work go on at once, in the order in which they came. Whoever waits holds only what has arrived. */
export class WorkTurns {
  private readonly maxRunning: number;
  private running = 0;
  private waiting: (Waiting | undefined)[] = [];
  private head = 0;

  constructor(maxRunning: number) {
    this.maxRunning = maxRunning;
  }

  /** Resolves once it is the call's turn, which `end` ends; rejects when the call fails first. */
  async begin(memory: CallMemory): Promise<void> {
    await memory.until((wake) => {
      this.waiting.push({ memory, wake });
      this.admit();
    });
  }

  end(): void {
    this.running--;
    this.admit();
  }

  private admit(): void {
    while (this.running < this.maxRunning && this.head < this.waiting.length) {
      const { memory, wake } = this.waiting[this.head]!;
      this.waiting[this.head++] = undefined;
      if (this.head === this.waiting.length || this.head >= 1024) {
        this.waiting = this.waiting.slice(this.head);
        this.head = 0;
      }
      // It was told already.
      if (memory.failure !== undefined) continue;
      this.running++;
      wake();
    }
  }
}
