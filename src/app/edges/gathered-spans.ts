import type { SpanRecord, SpanSink } from "../../telemetry/traces/span-record.ts";

/** Spans that go together: a message between threads costs more than the spans in it. */
const MOST_TOGETHER = 64;
/** What waits for more of them goes by then. */
const LONGEST_WAIT_MS = 200;

/** Gathers the spans of a further edge's calls, and tells them to the first edge's thread, which sends them. Its closer is `flush`. */
export class GatheredSpans implements SpanSink {
  private readonly tell: (spans: readonly SpanRecord[]) => void;
  private waiting: SpanRecord[] = [];
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(tell: (spans: readonly SpanRecord[]) => void) {
    this.tell = tell;
  }

  take(span: SpanRecord): void {
    this.waiting.push(span);
    if (this.waiting.length >= MOST_TOGETHER) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), LONGEST_WAIT_MS);
  }

  /** Tells what waits. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { waiting } = this;
    this.waiting = [];
    if (waiting.length > 0) this.tell(waiting);
  }
}
