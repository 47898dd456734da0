/**
 * Updates the models of a server from where they come: at its start, at the word of callers, and where their files change.
 * Promises: what serves goes on serving until what replaces it has passed its gate, and where that fails; the updates of a model are made
 * one after another; of all models one version at a time is read and loaded, unless one is slow; whatever fails is told in the log,
 * by GetModel and by `/readyz`; nothing more is begun once the registry drains.
 */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { ListedModel, ListedVersion } from "../../model/versions/model-listing.ts";
import type { ModelSources } from "../../model/versions/model-sources.ts";
import type { Log } from "../../telemetry/log.ts";
import { shownName } from "../../wording/field-paths.ts";
import { didYouMean } from "../../wording/nearest-name.ts";
import type { LoadOptions, Refusal } from "../load-model.ts";
import type { ModelControl } from "../models.ts";
import type { Registry } from "../registry.ts";
import { UpdateQueue } from "./update-queue.ts";
import { leavingVersions, type NamesInEffect, namesInEffect } from "./version-change.ts";
import { VersionLoads } from "./version-loads.ts";

/** Options of updates. */
export interface UpdateOptions {
  readonly sources: ModelSources;
  readonly registry: Registry;
  readonly load: LoadOptions;
  /** Models are loaded at the word of callers, and these at the start; undefined: all are. */
  readonly onlyAsked?: { readonly atStart: readonly string[] };
  readonly log: Log;
}

/** The updates of one server; they end with its registry. */
export class ModelUpdates implements ModelControl {
  private readonly options: UpdateOptions;
  private readonly registry: Registry;
  private readonly queue = new UpdateQueue();
  private readonly loads: VersionLoads;
  /** Models that are to be loaded; undefined: all. */
  private readonly asked: Set<string> | undefined;
  private lastRescan = Promise.resolve();
  private nextRescan: Promise<void> | undefined = undefined;

  constructor(options: UpdateOptions) {
    const { registry, onlyAsked } = options;
    this.options = options;
    this.registry = registry;
    this.loads = new VersionLoads(registry, options.load, options.log);
    this.asked = onlyAsked === undefined ? undefined : new Set(onlyAsked.atStart);
  }

  /** Lists what is going to be loaded at the start, and what is not. */
  expect(models: readonly ListedModel[]): void {
    for (const model of models) {
      if (this.isAsked(model.modelName)) this.registry.expect(model.versions);
      else this.listUnloaded(model);
      this.registry.table.name(model.modelName, namesInEffect(model.choice, new Set(), undefined).names);
    }
  }

  /** Loads what was found at the start; resolves once every model has settled. Nothing more is begun once the registry drains. */
  async start(models: readonly ListedModel[]): Promise<void> {
    const asked = models.filter(({ modelName }) => this.isAsked(modelName));
    await Promise.all(asked.map((model) => this.queue.run(model.modelName, () => this.apply(model, true))));
    this.loads.endStart();
    this.registry.settled = true;
  }

  async load(modelName: string): Promise<void> {
    await this.queue.run(modelName, async () => {
      const listed = await this.options.sources.listOne(modelName);
      if (listed === undefined) throw await this.notThere(modelName);
      this.asked?.add(modelName);
      const refusals = await this.apply(listed, true);
      if (this.registry.draining)
        throw new AssayError(
          Reason.SHUTTING_DOWN,
          "the server is shutting down: the model may not have been loaded",
        );
      if (refusals.length === 0) return;
      const why = refusals.map(({ modelVersion, reason }) =>
        modelVersion === "" ? reason : `version ${modelVersion}: ${reason}`,
      );
      const what = `failed to load model ${shownName(modelName)}: ${why.join("; ")}`;
      throw new AssayError(Reason.MODEL_INVALID, what, { cause: refusals[0]!.cause });
    });
  }

  async unload(modelName: string): Promise<void> {
    await this.queue.run(modelName, async () => {
      const { registry } = this;
      const isKnown = registry.table.entries().some((entry) => entry.modelName === modelName);
      if (!isKnown) throw await this.notThere(modelName);
      this.asked?.delete(modelName);
      this.loads.forget(modelName);
      const names = registry.table.namesOf(modelName);
      const left = registry.servingOf(modelName).map((generation) => {
        const leaving = registry.remove(generation);
        const { modelVersion } = generation;
        registry.putUnserved({ modelName, modelVersion, state: ModelState.UNLOADED, reason: "unloaded" });
        return leaving;
      });
      registry.table.name(modelName, names);
      this.options.log.info({ model: modelName }, "unloaded: calls that it holds are answered");
      await Promise.all(left);
    });
  }

  /** Looks at a model anew, because its files have other marks. What failed is tried again only where they have. */
  async filesChanged(modelName: string): Promise<void> {
    if (!this.isAsked(modelName)) return;
    await this.queue.run(modelName, () => this.update(modelName, false));
  }

  /** Looks at every model once more, and tries again what failed. Never rejects: what goes wrong is logged. */
  rescan(): Promise<void> {
    // What is asked for while one is going on may be about files that it has passed.
    this.nextRescan ??= this.lastRescan.then(() => {
      this.nextRescan = undefined;
      return this.lookAtAll();
    });
    this.lastRescan = this.nextRescan;
    return this.nextRescan;
  }

  /** Nothing that waits is begun any more. */
  close(): void {
    this.queue.close();
  }

  private async lookAtAll(): Promise<void> {
    const { sources, log } = this.options;
    try {
      const listed = await sources.list((folder, why) =>
        log.debug({ folder }, `${folder} is not taken for a model: ${why}`),
      );
      for (const model of listed) if (!this.isAsked(model.modelName)) this.listUnloaded(model);
      const lying = new Map(listed.map((model) => [model.modelName, model]));
      const names = new Set([
        ...lying.keys(),
        ...this.registry.table.entries().map(({ modelName }) => modelName),
      ]);
      const asked = [...names].filter((name) => this.isAsked(name));
      for (const name of names)
        if (!this.isAsked(name) && !lying.has(name)) this.registry.forgetUnserved(name);
      // What lies in no folder of its own is told anew, and cannot be listed by its name.
      const one = async (name: string): Promise<void> => {
        const model = lying.get(name);
        if (model !== undefined && model.path === undefined) await this.apply(model, true);
        else await this.update(name, true);
      };
      await Promise.all(asked.map((name) => this.queue.run(name, () => one(name))));
      const served = this.registry.table.entries().filter((entry) => "batcher" in entry).length;
      log.info({ models: names.size, served }, "the models were looked at again");
    } catch (err) {
      if (err instanceof AssayError)
        log.error({}, `the models were not all looked at again, what serves goes on: ${err.message}`);
      else log.error({ err }, "a bug in Assay: the models were not looked at again");
    }
  }

  private isAsked(modelName: string): boolean {
    const { asked } = this;
    return (
      asked === undefined || asked.has("*") || asked.has(modelName) || this.options.sources.isNamed(modelName)
    );
  }

  private listUnloaded({ modelName, versions }: ListedModel): void {
    const reason = `nobody asked for it: POST /v2/repository/models/${modelName}/load, or start the server with --load-model ${modelName}`;
    this.registry.forgetUnserved(modelName);
    for (const { modelVersion } of versions)
      this.registry.putUnserved({ modelName, modelVersion, state: ModelState.UNLOADED, reason });
  }

  private async notThere(modelName: string): Promise<AssayError> {
    const { sources } = this.options;
    const names = await sources.marks().then(
      (marks) => [...marks.keys()],
      () => [],
    );
    const hint = didYouMean(modelName, names) || ": put it there first";
    return new AssayError(
      Reason.MODEL_NOT_FOUND,
      `the repository has no model ${shownName(modelName)}${hint}`,
    );
  }

  private async update(modelName: string, retries: boolean): Promise<void> {
    const listed = await this.options.sources.listOne(modelName);
    if (listed !== undefined) await this.apply(listed, retries);
    else if (!this.registry.draining) this.takeOut(modelName);
  }

  private takeOut(modelName: string): void {
    const { registry, options } = this;
    this.loads.forget(modelName);
    for (const generation of registry.servingOf(modelName)) void registry.remove(generation);
    registry.forgetUnserved(modelName);
    options.log.warn({ model: modelName }, "its folder has gone: the model is taken out");
  }

  /** Brings up what is to serve, switches names, takes out the rest. Resolves with why versions do not serve as they lie there. */
  private async apply(listed: ListedModel, retries: boolean): Promise<Refusal[]> {
    const { registry, options } = this;
    const { modelName, problem, choice } = listed;
    const wasServing = registry.servingOf(modelName);
    if (problem !== undefined && wasServing.length > 0) return [this.keep(modelName, problem, wasServing)];
    if (problem !== undefined && listed.versions.every(({ modelVersion }) => modelVersion !== ""))
      options.log.error({ model: modelName }, `its versions have neither labels nor a policy: ${problem}`);
    const isKnown = this.loads.begin(modelName);
    const brought = await Promise.all(listed.versions.map((version) => this.loads.bringUp(version, retries)));
    const isShort = (version: ListedVersion, at: number) =>
      !brought[at]!.serves && /^\d+$/.test(version.modelVersion);
    let short = listed.versions.filter(isShort).length;
    const tried = [...listed.versions];
    for (const version of listed.reserve) {
      if (short === 0 || registry.draining) break;
      const one = await this.loads.bringUp(version, retries);
      tried.push(version);
      brought.push(one);
      if (one.serves) short--;
    }
    if (registry.draining) return [];
    const serving = registry.servingOf(modelName).map(({ modelVersion }) => modelVersion);
    const before = isKnown ? registry.table.namesOf(modelName) : undefined;
    const { names, staying } = namesInEffect(choice, new Set(serving), before);
    registry.table.name(modelName, names);
    this.tellFailures(modelName, staying);
    const kept = new Set(
      tried.flatMap(({ modelVersion }, at) => (brought[at]!.serves ? [modelVersion] : [])),
    );
    this.takeOutOthers(modelName, leavingVersions({ serving, kept, short, lying: new Set(listed.numbers) }));
    const known = new Set(tried.map(({ modelVersion }) => modelVersion));
    registry.forgetUnserved(modelName, (modelVersion) => known.has(modelVersion));
    return brought.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal]));
  }

  /** Tells of names that stay, and no longer of what was mended. */
  private tellFailures(modelName: string, staying: NamesInEffect["staying"]): void {
    for (const generation of this.registry.servingOf(modelName)) {
      const reasons = staying
        .filter(({ version }) => version === generation.modelVersion)
        .map(({ reason }) => reason);
      const failure = this.loads.failureOf(generation);
      const all = [failure, ...reasons].filter((one) => one !== undefined).join("; ");
      this.registry.table.failUpdate(generation, all || undefined);
      for (const reason of reasons) this.options.log.warn({ model: modelName }, reason);
    }
  }

  /** Leaves all that serves as it is, and tells why. */
  private keep(modelName: string, reason: string, serving: ReturnType<Registry["servingOf"]>): Refusal {
    this.options.log.error({ model: modelName }, `what serves is served on as it is: ${reason}`);
    for (const generation of serving) this.registry.table.failUpdate(generation, reason);
    return { modelName, modelVersion: "", reason };
  }

  private takeOutOthers(modelName: string, versions: readonly string[]): void {
    const { registry, options } = this;
    for (const modelVersion of versions) {
      const generation = registry.generationOf({ modelName, modelVersion });
      if (generation === undefined) continue;
      this.loads.forget(modelName, modelVersion);
      options.log.info(
        { model: modelName, version: modelVersion },
        "taken out: calls that it holds are answered",
      );
      void registry.remove(generation);
    }
  }
}
