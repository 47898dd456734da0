/** The items of all streams together may take so long of one turn of the event loop. */
const TURN_MS = 8;
/** Pieces of work between two looks at the clock. */
const PIECES_A_LOOK = 8;

/** Shares each turn of the event loop among all streams, so that none holds it with a backlog of small items. */
export class TurnBudget {
  private readonly now: () => number;
  private readonly onTurn = (): void => this.turn();
  private waiting: (() => void)[] = [];
  private isOpen = false;
  private isSpent = false;
  private endsAt = 0;
  private pieces = 0;

  /** `now` is a clock in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  /** Whether a piece of work, such as an item, may still be done in this turn; where not, `later` has it done in the next. */
  spend(): boolean {
    if (!this.isOpen) this.open();
    if (++this.pieces >= PIECES_A_LOOK) {
      this.pieces = 0;
      this.isSpent ||= this.now() >= this.endsAt;
    }
    return !this.isSpent;
  }

  /** The piece at hand has so many bytes: the larger, the sooner is looked at the clock again. */
  weigh(byteCount: number): void {
    this.pieces += byteCount >> 12;
  }

  /** Calls `task` in a later turn that has time, behind those that wait already. It must not throw. */
  later(task: () => void): void {
    if (!this.isOpen) this.open();
    this.waiting.push(task);
  }

  /** Resolves in a later turn that has time. */
  nextTurn(): Promise<void> {
    return new Promise((resolve) => this.later(resolve));
  }

  private open(): void {
    this.isOpen = true;
    this.isSpent = false;
    this.pieces = 0;
    this.endsAt = this.now() + TURN_MS;
    setImmediate(this.onTurn);
  }

  private turn(): void {
    this.isOpen = false;
    const tasks = this.waiting;
    if (tasks.length === 0) return;
    this.waiting = [];
    this.open();
    let done = 0;
    // A task that finds the time spent comes back behind those that have not had theirs.
    while (done < tasks.length && !this.isSpent) {
      tasks[done++]!();
      this.isSpent ||= this.now() >= this.endsAt;
    }
    this.waiting = tasks.slice(done).concat(this.waiting);
  }
}

/** The budget of this process's event loop. */
export const turnBudget = new TurnBudget();
