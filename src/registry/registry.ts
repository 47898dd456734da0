import { ModelState } from "../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../errors.ts";
import type { FoundModel } from "../model/prepared-model.ts";
import { SharedThreads } from "../pool/shared-threads.ts";
import type { Log } from "../telemetry/log.ts";
import { createFileWatch, type FileWatch } from "./file-watch.ts";
import { type LoadOptions, loadModel, type Refusal } from "./load-model.ts";
import { createModelTable, type ModelTable, type UnservedModel } from "./model-table.ts";
import type { Lifecycle } from "./models-service.ts";
import type { Generation } from "./served-model.ts";
import { sharesThreads } from "./thread-sharing.ts";

/** Models that are loaded at one time: each may hold a core and twice its memory meanwhile. */
const MAX_LOADING = 4;
/** The next model does not wait longer than this for one that is slow, or that never answers. */
const HEAD_START_MS = 500;

/** Options of a registry. */
export interface RegistryOptions {
  /** The model that is meant where a request names none; undefined: the only one. */
  readonly defaultModel?: string;
  readonly log: Log;
}

/**
 * The models of a server: loads them, adds and takes out whole generations, and ends them all. A call asks its table for the
 * generation that answers, and hands it its rows in the same turn: so one that was taken out of the table gets no more, and
 * closes when what it holds is answered. Whoever made it closes it.
 */
export class Registry implements Lifecycle {
  readonly table: ModelTable;
  /** Everything that was found has been loaded or has failed. */
  settled = false;
  draining = false;
  private readonly log: Log;
  /** By name and version; what serves. */
  private readonly serving = new Map<string, Generation>();
  /** What was taken out and still holds calls, or its workers. */
  private readonly leaving = new Map<Generation, Promise<void>>();
  private readonly sharedThreads: SharedThreads;
  private fileWatch: FileWatch | undefined;
  private isClosed = false;

  constructor({ defaultModel, log }: RegistryOptions) {
    this.table = createModelTable(defaultModel);
    this.log = log;
    this.sharedThreads = new SharedThreads(log);
  }

  /** Lists what is going to be loaded, so that callers are told to wait instead of that it is not there. */
  expect(found: readonly FoundModel[]): void {
    for (const one of found) {
      const { modelName, modelVersion } = one.kind === "prepared" ? one.model : one;
      this.putUnserved({ modelName, modelVersion, state: ModelState.LOADING, reason: "still being loaded" });
    }
  }

  /**
   * Loads models side by side; each is in the table as it settles: served, or failed with its reason. A model that does not answer
   * keeps none of the others waiting. Ends early, with nothing more begun, once the registry drains.
   */
  async load(found: readonly FoundModel[], options: LoadOptions): Promise<void> {
    if (this.isClosed) return;
    this.fileWatch ??= createFileWatch();
    const threads = sharesThreads(found.length) ? { sharedThreads: this.sharedThreads } : {};
    const watched = { ...threads, ...options, fileWatch: this.fileWatch };
    const loading = new Set<Promise<void>>();
    for (const one of found) {
      if (this.draining) break;
      while (loading.size >= MAX_LOADING) await Promise.race(loading);
      const settled = this.loadOne(one, watched).finally(() => loading.delete(settled));
      loading.add(settled);
      await headStart(settled);
    }
    await Promise.all(loading);
    this.settled = true;
  }

  /** Lets a generation serve, in the place of the one with its name and version, which leaves. From now on the registry closes it. */
  add(generation: Generation): void {
    if (this.isClosed) {
      void this.leave(generation);
      return;
    }
    const key = keyOf(generation);
    const before = this.serving.get(key);
    this.serving.set(key, generation);
    this.table.put(generation);
    if (before !== undefined && before !== generation) void this.leave(before);
  }

  /** Takes a generation out: no new call is given to it; resolves once what it holds is answered and it is closed. */
  remove(generation: Generation): Promise<void> {
    const key = keyOf(generation);
    if (this.serving.get(key) !== generation) return this.leaving.get(generation) ?? Promise.resolve();
    this.serving.delete(key);
    this.table.remove(generation);
    return this.leave(generation);
  }

  /** Nothing more is loaded from now on; what serves goes on serving. */
  announceDrain(): void {
    this.draining = true;
  }

  /** Takes no more calls for any model; resolves when all that are held are answered. */
  async drain(): Promise<void> {
    this.announceDrain();
    await Promise.all(this.generations().map((generation) => generation.drain()));
  }

  /** Ends everything at once; what is loaded from now on is ended as it comes. */
  async close(): Promise<void> {
    this.announceDrain();
    this.isClosed = true;
    this.fileWatch?.close();
    await Promise.all(this.generations().map((generation) => generation.close()));
  }

  private generations(): Generation[] {
    return [...this.serving.values(), ...this.leaving.keys()];
  }

  private leave(generation: Generation): Promise<void> {
    const left = this.end(generation).finally(() => this.leaving.delete(generation));
    this.leaving.set(generation, left);
    return left;
  }

  private async end(generation: Generation): Promise<void> {
    try {
      await generation.drain();
      await generation.close();
    } catch (err) {
      const { modelName, modelVersion } = generation;
      this.log.error(
        { model: modelName, version: modelVersion, err },
        "a model that was taken out did not end",
      );
    }
  }

  private async loadOne(found: FoundModel, options: LoadOptions): Promise<void> {
    const loaded = found.kind === "refused" ? found : await loadModel(found.model, options);
    if ("batcher" in loaded) this.add(loaded);
    else this.refuse(loaded);
  }

  private refuse({ modelName, modelVersion, reason, cause }: Refusal): void {
    // A refusal that explains itself needs no stack in the log; what made it fail does.
    const err = cause instanceof AssayError ? cause.cause : cause;
    this.log.error({ model: modelName, version: modelVersion, err }, `not served: ${reason}`);
    this.putUnserved({ modelName, modelVersion, state: ModelState.FAILED, reason });
  }

  /** What serves goes on serving. */
  private putUnserved(model: UnservedModel): void {
    if (!this.serving.has(keyOf(model))) this.table.put(model);
  }
}

function keyOf({
  modelName,
  modelVersion,
}: {
  readonly modelName: string;
  readonly modelVersion: string;
}): string {
  return JSON.stringify([modelName, modelVersion]);
}

async function headStart(settled: Promise<void>): Promise<void> {
  const { promise: isOver, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, HEAD_START_MS);
  await Promise.race([settled, isOver]);
  clearTimeout(timer);
}
