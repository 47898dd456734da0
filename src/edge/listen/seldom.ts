/** How long what happens again is only counted. */
const INTERVAL_MS = 10_000;

/** Tells of what may happen thousands of times a second, at most once in ten seconds: at once, then how often it was since. */
export class Seldom {
  private readonly tell: (count: number) => void;
  private count = 0;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(tell: (count: number) => void) {
    this.tell = tell;
  }

  /** It happened. */
  happened(): void {
    this.count++;
    if (this.timer === undefined) this.flush();
  }

  private flush(): void {
    this.timer = undefined;
    if (this.count === 0) return;
    const { count } = this;
    this.count = 0;
    this.timer = setTimeout(() => this.flush(), INTERVAL_MS).unref();
    this.tell(count);
  }
}
