import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Log } from "../../telemetry/log.ts";

/** Marks by the names of models. */
export type Marks = ReadonlyMap<string, string>;

/** Options of a watch. */
export interface WatchOptions {
  /** Marks of all that lies there; rejects where that cannot be told. */
  readonly look: () => Promise<Marks>;
  /** Called with each model whose files have other marks than when it was called last; what it rejects with is logged. */
  readonly onChange: (modelName: string) => Promise<void>;
  /** How long to wait between two looks. */
  readonly intervalMs: number;
  readonly log: Log;
}

/** A look takes at most this part of the time, however many files there are. */
const MOST_OF_THE_TIME = 1 / 20;

/**
 * The models to tell of: those with other marks than were last told, where two looks one after the other found the same. So files
 * that are being written are waited for, and a folder that is away for a moment, between two renames, has not gone.
 */
function settledChanges(told: Marks, before: Marks, now: Marks): string[] {
  const names = new Set([...told.keys(), ...now.keys()]);
  return [...names].filter((name) => now.get(name) !== told.get(name) && now.get(name) === before.get(name));
}

/**
 * Looks at files from time to time, on any file system: the notices of the kernel do not come from those that lie on other machines, and
 * miss what is mounted or linked anew. Its closer is whoever made it.
 */
export class RepositoryWatch {
  private readonly options: WatchOptions;
  private readonly told = new Map<string, string>();
  private before: Marks = new Map();
  private timer: NodeJS.Timeout | undefined = undefined;
  private isClosed = false;
  private isLost = false;

  constructor(options: WatchOptions) {
    this.options = options;
  }

  /** Takes what lies there now as told. */
  async begin(): Promise<void> {
    this.before = await this.options.look();
    for (const [name, marks] of this.before) this.told.set(name, marks);
  }

  /** Begins to look from time to time. */
  watch(): void {
    this.schedule(this.options.intervalMs);
  }

  /** Looks once, and tells of what has changed and is still. Never rejects. */
  async look(): Promise<void> {
    let now: Marks;
    try {
      now = await this.options.look();
      if (this.isLost) this.options.log.info({}, "the models can be looked at again");
      this.isLost = false;
    } catch (error) {
      this.tellLost(error);
      return;
    }
    const changed = settledChanges(this.told, this.before, now);
    this.before = now;
    if (this.isClosed) return;
    for (const name of changed) {
      const marks = now.get(name);
      if (marks === undefined) this.told.delete(name);
      else this.told.set(name, marks);
      // The next look need not wait for what is loaded meanwhile.
      this.options.onChange(name).catch((error: unknown) => this.tellFailed(name, error));
    }
  }

  /** Looks no more. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private schedule(delayMs: number): void {
    if (this.isClosed) return;
    this.timer = setTimeout(() => void this.lookAndGoOn(), delayMs).unref();
  }

  private async lookAndGoOn(): Promise<void> {
    const beganAt = performance.now();
    await this.look();
    const tookMs = performance.now() - beganAt;
    this.schedule(Math.max(this.options.intervalMs, tookMs / MOST_OF_THE_TIME));
  }

  private tellLost(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (!this.isLost)
      this.options.log.error({}, `the models cannot be looked at; what serves is served on: ${why}`);
    this.isLost = true;
  }

  private tellFailed(modelName: string, error: unknown): void {
    const { log } = this.options;
    if (!(error instanceof AssayError)) {
      log.error({ model: modelName, err: error }, "a bug in Assay: the model was not updated");
      return;
    }
    // With the next look there may be room. Whatever else is wrong is tried again once files have changed.
    if (error.reason === Reason.QUEUE_FULL) this.told.delete(modelName);
    log.error({ model: modelName }, `not updated: ${error.message}`);
  }
}
