import type { AssayError } from "../errors.ts";
import { type MemoryBudget, memoryFull } from "./memory-budget.ts";
import type { BodyCheck } from "./message-limit.ts";

/** What one call holds of the process's budget; whoever made it ends it, and then all of it is given back. */
export class CallMemory {
  private readonly budget: MemoryBudget;
  private heldBytes = 0;
  private hasEnded = false;

  constructor(budget: MemoryBudget) {
    this.budget = budget;
  }

  get ended(): boolean {
    return this.hasEnded;
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

  give(byteCount: number): void {
    if (this.hasEnded) return;
    this.heldBytes -= byteCount;
    this.budget.give(byteCount);
  }

  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.budget.give(this.heldBytes);
    this.heldBytes = 0;
  }

  /** Counts what arrives before `check` looks at it. */
  counting(check: BodyCheck): BodyCheck {
    return (bytes) => {
      const error = this.take(bytes.length);
      return error === undefined ? check(bytes) : { error, goodBytes: 0 };
    };
  }
}
