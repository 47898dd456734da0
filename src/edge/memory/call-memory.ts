import type { AssayError } from "../../errors.ts";
import { type MemoryBudget, memoryFull } from "./memory-budget.ts";
import type { BodyCheck } from "./message-limit.ts";

/** Lists that grow are copied: while a message is decoded it takes so many times what it does then. */
const GROWTH = 2;
/** The longest that a message waits for what others hold: who waits keeps all further large messages waiting too. */
const MAX_WAIT_MS = 10_000;

/** What one call holds of the process's budget; whoever made it ends it, and then all of it is given back. */
export class CallMemory {
  readonly budget: MemoryBudget;
  /** Why the call needs nothing more; undefined while it may. */
  failure: unknown = undefined;
  /** Octets that `counting` has seen arrive. */
  arrivedBytes = 0;
  private heldBytes = 0;
  private decodedBytes = 0;
  private hasEnded = false;
  /** Of a request that is decoded, and of an answer that is encoded. */
  private waits: ((failure: unknown) => void)[] | undefined = undefined;

  constructor(budget: MemoryBudget) {
    this.budget = budget;
  }

  /** Takes bytes for the call; the error to refuse it with where the budget has no room. What comes after the end takes nothing. */
  take(byteCount: number): AssayError | undefined {
    if (this.hasEnded) return undefined;
    if (!this.budget.take(byteCount)) return memoryFull(this.budget);
    this.heldBytes += byteCount;
    return undefined;
  }

  /** Makes bytes that were taken of the budget already the call's. */
  adopt(byteCount: number): void {
    if (this.hasEnded) this.budget.give(byteCount);
    else this.heldBytes += byteCount;
  }

  /** As `adopt`, for a large message that is decoded: while one such is held, others wait for its end. */
  adoptDecoded(byteCount: number): void {
    this.adopt(byteCount);
    if (this.hasEnded) return;
    this.decodedBytes += byteCount;
    this.budget.decodedBytes += byteCount;
  }

  /**
   * Takes bytes of the budget, for the caller to adopt or give back, as soon as there is room. Where no large message is held that will
   * give any back, it goes on whatever the limit says: else nothing would end. Rejects with MEMORY_FULL where V8's heap is nearly full,
   * or where nothing is given back for long.
   */
  async reserve(byteCount: number): Promise<void> {
    const { budget } = this;
    const untilMs = performance.now() + MAX_WAIT_MS;
    while (budget.heapIsNearlyFull(GROWTH * byteCount) || !budget.take(byteCount)) {
      if (budget.decodedBytes === 0) {
        if (budget.heapIsNearlyFull(GROWTH * byteCount)) throw memoryFull(budget, GROWTH * byteCount);
        budget.force(byteCount);
        return;
      }
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) throw memoryFull(budget, GROWTH * byteCount);
      let timer: NodeJS.Timeout | undefined;
      try {
        await this.until((wake) => {
          budget.whenGiven(wake);
          timer = setTimeout(wake, leftMs);
        });
      } finally {
        clearTimeout(timer);
      }
    }
  }

  /** Gives bytes back, of which `decodedBytes` were adopted as decoded. */
  give(byteCount: number, decodedBytes = 0): void {
    if (this.hasEnded || byteCount === 0) return;
    this.heldBytes -= byteCount;
    this.decodedBytes -= decodedBytes;
    this.budget.decodedBytes -= decodedBytes;
    this.budget.give(byteCount);
  }

  /** Waits until `wake` is called, or rejects when the call fails first. */
  until(register: (wake: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) {
        reject(this.failure);
        return;
      }
      this.waits ??= [];
      const { waits } = this;
      waits.push(reject);
      register(() => {
        waits.splice(waits.indexOf(reject), 1);
        resolve();
      });
    });
  }

  /** Ends what waits for the call. */
  fail(failure: unknown): void {
    this.failure ??= failure;
    for (const reject of this.waits ?? []) reject(failure);
  }

  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.budget.decodedBytes -= this.decodedBytes;
    this.budget.give(this.heldBytes);
    this.heldBytes = this.decodedBytes = 0;
  }

  /** Counts what arrives before `check` looks at it. */
  counting(check: BodyCheck): BodyCheck {
    return (bytes) => {
      this.arrivedBytes += bytes.length;
      const error = this.take(bytes.length);
      return error === undefined ? check(bytes) : { error, goodBytes: 0 };
    };
  }
}
