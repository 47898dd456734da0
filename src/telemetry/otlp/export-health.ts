import { counted } from "../../wording/counted.ts";
import type { Log } from "../log.ts";
import { maskedText } from "../masked-text.ts";
import type { MetricFamily } from "../metric-text.ts";

/** How often at most it is said again that an exporter takes nothing. */
const SAID_AGAIN_MS = 600_000;

/** What has become of what was to be sent: counted, and told once in the log for each time that sending stops and begins to work. */
export class ExportHealth {
  exported = 0;
  failed = 0;
  dropped = 0;
  private readonly what: string;
  private readonly log: Log;
  private isFailing = false;
  private saidDroppedAt = Number.NEGATIVE_INFINITY;

  /** `what` one of them is: "span". */
  constructor(what: string, log: Log) {
    this.what = what;
    this.log = log;
  }

  succeeded(count: number): void {
    this.exported += count;
    if (!this.isFailing) return;
    this.isFailing = false;
    this.log.info({ failed: this.failed, dropped: this.dropped }, `OTLP: ${this.what}s are sent again`);
  }

  /** They were given up. An exporter's words may quote what its server said: they are masked. */
  failedWith(count: number, cause: unknown): void {
    this.failed += count;
    if (this.isFailing) return;
    this.isFailing = true;
    const why = maskedText(cause instanceof Error ? cause.message || cause.name : String(cause));
    this.log.warn(
      { cause: why },
      `OTLP: ${counted(count, this.what)} could not be sent, and calls are answered all the same; what fails from now on is counted alone (check OTEL_EXPORTER_OTLP_ENDPOINT and who listens there)`,
    );
  }

  /** They came faster than they could be sent. */
  droppedAtLimit(count: number, limit: number, setting: string): void {
    this.dropped += count;
    const now = performance.now();
    if (now - this.saidDroppedAt < SAID_AGAIN_MS) return;
    this.saidDroppedAt = now;
    this.log.warn(
      { dropped: this.dropped, limit },
      `OTLP: ${this.what}s are dropped, ${limit} wait to be sent already (${setting}); fewer are made with OTEL_TRACES_SAMPLER`,
    );
  }

  /** A counter by outcome. */
  families(name: string, help: string): MetricFamily[] {
    return [
      {
        name,
        type: "counter",
        help,
        samples: [
          [{ outcome: "exported" }, this.exported],
          [{ outcome: "failed" }, this.failed],
          [{ outcome: "dropped" }, this.dropped],
        ],
      },
    ];
  }
}
