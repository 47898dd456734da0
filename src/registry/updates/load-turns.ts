/** Turns that may be taken at a time. */
export interface TurnOptions {
  /** The next is not kept waiting longer than this by one that is slow, or that never answers. */
  readonly headStartMs: number;
  /** At most so many are taken at a time. */
  readonly most: number;
}

/**
 * Gives what loads models its turns, one after another: each holds the memory of a model that comes beside that of one that leaves. Made
 * for a server; nothing has to close it.
 */
export class LoadTurns {
  /** May be changed: a start, when nothing serves yet, need not wait as long. */
  options: TurnOptions;
  private readonly waiting: (() => void)[] = [];
  private taken = 0;
  private begun = 0;
  /** The turn that began last has its head start, and is not over. */
  private isHeld = false;

  constructor(options: TurnOptions) {
    this.options = options;
  }

  /** Resolves once the turn has come, with what ends it: call it once what was loaded serves and what it replaced has gone. */
  async take(): Promise<() => void> {
    if (this.canBegin() && this.waiting.length === 0) {
      this.taken++;
      this.isHeld = true;
    } else {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.waiting.push(resolve);
      await promise;
    }
    return this.begin();
  }

  private canBegin(): boolean {
    return !this.isHeld && this.taken < this.options.most;
  }

  private begin(): () => void {
    const turn = ++this.begun;
    this.isHeld = true;
    const letNext = () => {
      if (turn === this.begun) this.isHeld = false;
      this.next();
    };
    const headStart = setTimeout(letNext, this.options.headStartMs).unref();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(headStart);
      this.taken--;
      letNext();
    };
  }

  private next(): void {
    if (!this.canBegin()) return;
    const begin = this.waiting.shift();
    if (begin === undefined) return;
    this.taken++;
    this.isHeld = true;
    begin();
  }
}
