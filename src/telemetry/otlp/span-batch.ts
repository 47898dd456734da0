import type { SpanRecord } from "../traces/span-record.ts";
import type { ExportResult } from "./one-export.ts";

/** Spans that go together, kept in the form that their exporter takes. */
export interface SpanBatch {
  /** Spans in it, those of stages too. */
  readonly count: number;
  add(span: SpanRecord): void;
  /** Sends them; nothing is added from then on. */
  send(done: (result: ExportResult) => void): void;
}

/** An exporter of spans. */
export interface SpanSender {
  /** An empty batch. */
  begin(): SpanBatch;
  /** Resolves when what is on its way has ended; where that is known. */
  flush(): Promise<void>;
  /** Ends it, with what is on its way. */
  shutdown(): Promise<void>;
}

/** How many spans are made of one, with those of its stages. */
export function spanCount({ stages }: SpanRecord): number {
  return 1 + stages.length;
}
