import type { Pool } from "../pool/pool.ts";
import type { Log } from "../telemetry/log.ts";
import type { Batching } from "./batch-policy.ts";

/** What a batcher is made with; the defaults are the server's. */
export interface BatcherOptions {
  /** The batcher sets its `onIdle`; whoever made the pool closes it, after the batcher. */
  readonly pool: Pool;
  /** For messages. */
  readonly modelName: string;
  readonly batching: Batching;
  /** Outputs that are known not to have a row for each row of a batch; others are found when they come. */
  readonly rowlessOutputNames?: readonly string[];
  /** The most rows in one run; default 256. */
  readonly maxBatchSize?: number;
  /** How long rows may wait for others while an instance is idle; default 0. */
  readonly maxQueueDelayMicroseconds?: number;
  /** The most rows that wait; default 8,192. */
  readonly maxQueueRows?: number;
  /** The most bytes that wait; default 64 MiB. */
  readonly maxQueueBytes?: number;
  readonly log: Log;
}
