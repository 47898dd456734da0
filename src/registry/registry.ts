import { ModelState } from "../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../errors.ts";
import type { PreparedModel } from "../model/prepared-model.ts";
import { SharedThreads } from "../pool/shared-threads.ts";
import type { Log } from "../telemetry/log.ts";
import { createFileWatch, type FileWatch } from "./file-watch.ts";
import { type LoadOptions, loadModel, type Refusal } from "./load-model.ts";
import { createModelTable, isServed, type ModelTable, type UnservedModel } from "./model-table.ts";
import type { Lifecycle } from "./models-service.ts";
import type { Generation } from "./served-model.ts";
import { sharesThreads } from "./thread-sharing.ts";

/** Options of a registry. */
export interface RegistryOptions {
  /** The model that is meant where a request names none; undefined: the only one. */
  readonly defaultModel?: string;
  /** Models come at the word of callers. */
  readonly startsEmpty?: boolean;
  readonly log: Log;
}

/** A version by its names. */
export interface VersionName {
  readonly modelName: string;
  readonly modelVersion: string;
}

/** A generation that serves from now on; `left` resolves once the one in whose place it serves has ended. */
export interface Loaded {
  readonly generation: Generation;
  readonly left: Promise<void>;
}

/**
 * The models of a server: adds and takes out whole generations, and ends them all. A call asks its table for the generation that
 * answers, and hands it its rows in the same turn: so one that was taken out of the table gets no more, and closes when what it holds
 * is answered. Whoever made it closes it.
 */
export class Registry implements Lifecycle {
  readonly table: ModelTable;
  readonly startsEmpty: boolean;
  /** Everything that was found at the start has been loaded or has failed. */
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

  constructor({ defaultModel, startsEmpty = false, log }: RegistryOptions) {
    this.table = createModelTable(defaultModel);
    this.startsEmpty = startsEmpty;
    this.log = log;
    this.sharedThreads = new SharedThreads(log);
  }

  /** Lists what is going to be loaded, so that callers are told to wait instead of that it is not there. */
  expect(versions: readonly VersionName[]): void {
    for (const { modelName, modelVersion } of versions)
      this.putUnserved({ modelName, modelVersion, state: ModelState.LOADING, reason: "still being loaded" });
  }

  /** Loads a version and lets it serve; what serves under its name serves until then, and on where the load fails. */
  async load(model: PreparedModel, options: LoadOptions): Promise<Loaded | Refusal> {
    this.fileWatch ??= createFileWatch();
    const threads = sharesThreads(this.table.entries().length) ? { sharedThreads: this.sharedThreads } : {};
    const before = this.generationOf(model) ?? this.defaultOf(model.modelName);
    const counters = this.generationOf(model)?.counters;
    const loaded = await loadModel(model, {
      ...threads,
      ...options,
      fileWatch: this.fileWatch,
      ...(before === undefined ? {} : { before }),
      ...(counters === undefined ? {} : { counters }),
    });
    return "batcher" in loaded ? { generation: loaded, left: this.add(loaded) } : loaded;
  }

  /**
   * Lets a generation serve, in the place of the one with its name and version, which leaves; resolves when that has ended. From now on the
   * registry closes it.
   */
  add(generation: Generation): Promise<void> {
    if (this.isClosed) return this.leave(generation);
    const key = keyOf(generation);
    const before = this.serving.get(key);
    this.serving.set(key, generation);
    this.table.put(generation);
    return before === undefined || before === generation ? Promise.resolve() : this.leave(before);
  }

  /** Takes a generation out: no new call is given to it; resolves once what it holds is answered and it is closed. */
  remove(generation: Generation): Promise<void> {
    const key = keyOf(generation);
    if (this.serving.get(key) !== generation) return this.leaving.get(generation) ?? Promise.resolve();
    this.serving.delete(key);
    this.table.remove(generation);
    return this.leave(generation);
  }

  /** The generation that serves under these names. */
  generationOf(version: VersionName): Generation | undefined {
    return this.serving.get(keyOf(version));
  }

  /** What serves of a model. */
  servingOf(modelName: string): Generation[] {
    return [...this.serving.values()].filter((generation) => generation.modelName === modelName);
  }

  /** Tells why a version does not serve, in the log and to callers; what serves under its name goes on. */
  refuse({ modelName, modelVersion, reason, cause }: Refusal): void {
    // A refusal that explains itself needs no stack in the log; what made it fail does.
    const err = cause instanceof AssayError ? cause.cause : cause;
    const served = this.generationOf({ modelName, modelVersion });
    const what =
      served === undefined ? "not served" : "what lies on disk is not served, what was loaded is served on";
    this.log.error({ model: modelName, version: modelVersion, err }, `${what}: ${reason}`);
    if (served !== undefined) this.table.failUpdate(served, reason);
    const isUpdate = this.settled;
    this.putUnserved({ modelName, modelVersion, state: ModelState.FAILED, reason, isUpdate });
  }

  /** Lists a version that does not serve, unless one serves under its name. */
  putUnserved(model: UnservedModel): void {
    if (!this.serving.has(keyOf(model))) this.table.put(model);
  }

  /** Takes the versions of a model that do not serve off the list, but for those to be kept. */
  forgetUnserved(modelName: string, isKept: (modelVersion: string) => boolean = () => false): void {
    for (const entry of this.table.entries())
      if (entry.modelName === modelName && !isServed(entry) && !isKept(entry.modelVersion))
        this.table.remove(entry);
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

  private defaultOf(modelName: string): Generation | undefined {
    return this.servingOf(modelName).find((generation) => this.table.isDefault(generation));
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
}

function keyOf({ modelName, modelVersion }: VersionName): string {
  return JSON.stringify([modelName, modelVersion]);
}
