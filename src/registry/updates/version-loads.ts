import { equals } from "@bufbuild/protobuf";
import { type ModelConfig, ModelConfigSchema } from "../../../gen/assay/config/v1/model_config_pb.ts";
import type { SourceFile } from "../../model/source-file.ts";
import { versionMarks } from "../../model/versions/folder-marks.ts";
import { type ListedVersion, readListed } from "../../model/versions/model-listing.ts";
import type { Log } from "../../telemetry/log.ts";
import type { LoadOptions, Refusal } from "../load-model.ts";
import type { Registry, VersionName } from "../registry.ts";
import { LoadTurns } from "./load-turns.ts";

/** A version as it was last read. */
interface ReadVersion {
  /** Of its files, when they were read. */
  readonly marks: string;
  /** What it was made of; undefined where it could not be loaded. */
  readonly source: { readonly files: readonly SourceFile[]; readonly config: ModelConfig } | undefined;
  readonly refusal: Refusal | undefined;
}

/** What became of one version. */
export interface BroughtUp {
  readonly serves: boolean;
  readonly refusal?: Refusal | undefined;
}

/** While nothing serves, several may be loaded side by side where one is slow. */
const AT_START = { headStartMs: 500, most: 4 };
/** While others serve, a load takes their cores and memory: the next one waits, but not for one that hangs. */
const WHILE_SERVING = { headStartMs: 10_000, most: 4 };

/** Loads versions that are new or whose files changed, one at a time, and knows of each what it was made of. */
export class VersionLoads {
  private readonly registry: Registry;
  private readonly load: LoadOptions;
  private readonly log: Log;
  private readonly turns = new LoadTurns(AT_START);
  /** By model and version. */
  private readonly read = new Map<string, Map<string, ReadVersion>>();

  constructor(registry: Registry, load: LoadOptions, log: Log) {
    this.registry = registry;
    this.load = load;
    this.log = log;
  }

  /** From now on what serves has the cores and the memory that a load takes. */
  endStart(): void {
    this.turns.options = WHILE_SERVING;
  }

  /** Whether something of a model was read before; notes that it is from now on. */
  begin(modelName: string): boolean {
    const isKnown = this.read.has(modelName);
    if (!isKnown) this.read.set(modelName, new Map());
    return isKnown;
  }

  /** What a version has become of as it lies there, where it cannot be served so. */
  failureOf({ modelName, modelVersion }: VersionName): string | undefined {
    return this.read.get(modelName)?.get(modelVersion)?.refusal?.reason;
  }

  /** Knows nothing more of a model, or of one version. */
  forget(modelName: string, modelVersion?: string): void {
    if (modelVersion === undefined) this.read.delete(modelName);
    else this.read.get(modelName)?.delete(modelVersion);
  }

  /** Sees to it that a version serves as it lies there; what failed is tried again only where its files changed, or with `retries`. */
  async bringUp(version: ListedVersion, retries: boolean): Promise<BroughtUp> {
    const { source } = version;
    if ("refusal" in source) {
      const { modelName, modelVersion } = version;
      const { refusal: reason, cause } = source;
      return this.refused({ modelName, modelVersion, reason, cause });
    }
    const asBefore = this.asRead(version, await versionMarks(source), retries);
    if (asBefore !== undefined) return asBefore;
    const release = await this.turns.take();
    let left = Promise.resolve();
    try {
      if (this.registry.draining) return { serves: this.registry.generationOf(version) !== undefined };
      return await this.readAndLoad(version, await versionMarks(source), (promise) => {
        left = promise;
      });
    } finally {
      // Until the old one has gone, both take memory.
      void left.finally(release);
    }
  }

  /** What is known of a version whose files have the marks that they had when they were read. */
  private asRead(version: ListedVersion, marks: string, retries: boolean): BroughtUp | undefined {
    const known = this.read.get(version.modelName)?.get(version.modelVersion);
    const serves = this.registry.generationOf(version) !== undefined;
    if (known === undefined || known.marks !== marks) return undefined;
    if (known.refusal !== undefined) return retries ? undefined : { serves, refusal: known.refusal };
    return serves ? { serves } : undefined;
  }

  private async readAndLoad(
    version: ListedVersion,
    marks: string,
    onLeaving: (left: Promise<void>) => void,
  ): Promise<BroughtUp> {
    const { registry } = this;
    const { modelName, modelVersion } = version;
    const served = registry.generationOf(version);
    registry.expect([version]);
    const known = this.read.get(modelName)?.get(modelVersion);
    const found = await readListed(version);
    const remember = (refusal: Refusal | undefined, source = known?.source) =>
      this.read.get(modelName)?.set(modelVersion, { marks, refusal, source });
    if (found.kind === "refused") {
      remember(found);
      return this.refused(found);
    }
    const { files, config } = found.model;
    if (
      served !== undefined &&
      known?.source !== undefined &&
      isSameSource(known.source, { files, config })
    ) {
      remember(undefined, { files, config });
      return { serves: true };
    }
    const beganAt = performance.now();
    const loaded = await registry.load(found.model, this.load);
    if (!("generation" in loaded)) {
      remember(loaded);
      return this.refused(loaded);
    }
    remember(undefined, { files, config });
    onLeaving(loaded.left);
    const tookMs = Math.round(performance.now() - beganAt);
    if (registry.settled) {
      const what = served === undefined ? "serves" : "serves in the place of what was loaded before";
      this.log.info({ model: modelName, version: modelVersion, tookMs }, what);
    }
    return { serves: true };
  }

  private refused(refusal: Refusal): BroughtUp {
    this.registry.refuse(refusal);
    return { serves: this.registry.generationOf(refusal) !== undefined, refusal };
  }
}

/** The same model: golden rows, labels and weights too. What config.json says is compared as it is read. */
function isSameSource(
  before: NonNullable<ReadVersion["source"]>,
  now: NonNullable<ReadVersion["source"]>,
): boolean {
  const digests = ({ files }: NonNullable<ReadVersion["source"]>) =>
    JSON.stringify(
      files
        .filter(({ name }) => !/^(\.\.\/)?config\.json$/.test(name))
        .map(({ name, sha256 }) => [name, sha256 ?? ""]),
    );
  return digests(before) === digests(now) && equals(ModelConfigSchema, before.config, now.config);
}
