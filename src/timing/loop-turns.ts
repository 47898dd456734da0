/** What has more octets is long work to check, to copy and to encode. */
export const LARGE_OCTETS = 262_144;

/**
 * Turns of the event loop for long pieces of work: of all that any stage does for messages of megabytes, one piece is done in a turn.
 * Each is short enough alone; those of several calls would come together, since what waits for sockets, workers and other slices goes
 * on in the same turn.
 */
export class LoopTurns {
  private isTaken = false;
  /** It was taken in the midst of a turn, whose timers are still to come. */
  private isFresh = false;
  private waiting: ((() => void) | undefined)[] = [];
  private head = 0;
  private readonly onTurn = (): void => this.turn();

  /** Takes the present turn; false where it is taken already, and the piece is to be done `later`. */
  take(): boolean {
    if (this.isTaken) return false;
    this.begin();
    return true;
  }

  /** Calls `task` in a turn that is its own, behind those that wait already. It must not throw. */
  later(task: () => void): void {
    this.waiting.push(task);
    if (!this.isTaken) this.begin();
  }

  /** Resolves in a turn that is the caller's own. */
  next(): Promise<void> {
    return new Promise((resolve) => this.later(resolve));
  }

  private begin(): void {
    this.isTaken = this.isFresh = true;
    setImmediate(this.onTurn);
  }

  private turn(): void {
    const isOver = this.head === this.waiting.length && !this.isFresh;
    if (isOver) {
      this.isTaken = false;
      return;
    }
    setImmediate(this.onTurn);
    if (this.isFresh) {
      this.isFresh = false;
      return;
    }
    const task = this.waiting[this.head]!;
    this.waiting[this.head++] = undefined;
    if (this.head === this.waiting.length || this.head >= 1024) {
      this.waiting = this.waiting.slice(this.head);
      this.head = 0;
    }
    task();
  }
}

/** The turns of this process's event loop. */
export const loopTurns = new LoopTurns();
