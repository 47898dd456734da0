/** The documents of one edge: made when they are first asked for, kept until the models that they tell of are others. */
import { createHash } from "node:crypto";
import type { ModelSummary } from "../../../gen/assay/v1/model_service_pb.ts";
import type { Caller } from "../../registry/caller.ts";
import type { ModelsService } from "../../registry/models.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import type { ScoringService } from "../../service/scoring.ts";
import { LoopSlices } from "../memory/loop-slices.ts";
import { KeptBody } from "../plain/kept-body.ts";
import type { DescribedModel } from "./described-model.ts";
import { type DocumentFacts, modelDocument, serverDocument, writeDocument } from "./document.ts";
import type { Schema } from "./schema-parts.ts";

/** What the documents are made of. */
export interface DocumentParts {
  readonly facts: DocumentFacts;
  readonly models: Pick<ModelsService, "list">;
  readonly scoring: Pick<ScoringService, "resolve">;
}

/** Of all documents that are kept; the newest is kept whatever it takes. */
const MOST_BYTES = 33_554_432;

/** The documents. Many may ask at once: each is made once, and one at a time. */
export class OpenApiDocuments {
  private readonly parts: DocumentParts;
  /** By what they tell of; those that were asked for last stand last. */
  private readonly kept = new Map<string, KeptBody>();
  private readonly coming = new Map<string, Promise<KeptBody>>();
  private readonly numbers = new WeakMap<ServedModel, number>();
  private lastNumber = 0;
  private making: Promise<unknown> = Promise.resolve();

  constructor(parts: DocumentParts) {
    this.parts = parts;
  }

  /** Of all that a caller may know of. */
  server(caller: Caller): Promise<KeptBody> {
    const { models, facts } = this.parts;
    const served = models
      .list(caller)
      .filter(({ isDefault }) => isDefault)
      .flatMap((summary) => this.served(summary, caller));
    const canLoad = facts.canLoad && caller.isAdmin;
    const key = `${canLoad ? "loading " : ""}${served.map((model) => this.keyOf(model)).join(" ")}`;
    return this.document(key, () => serverDocument({ ...facts, canLoad }, served.map(describe)));
  }

  /** Of the version that a name and a version mean. Throws what `ScoringService.resolve` throws. */
  model(modelName: string, modelVersion: string, caller: Caller): Promise<KeptBody> {
    const { facts, scoring } = this.parts;
    const model = scoring.resolve(modelName, modelVersion, caller);
    const hasVersion = modelVersion !== "";
    return this.document(`${hasVersion ? "version" : "model"} ${this.keyOf(model)}`, () =>
      modelDocument(facts, describe(model), hasVersion),
    );
  }

  private served({ modelName, modelVersion }: ModelSummary, caller: Caller): ServedModel[] {
    try {
      return [this.parts.scoring.resolve(modelName, modelVersion, caller)];
    } catch {
      return [];
    }
  }

  /** Another one for each version that is loaded, and for the same one that is loaded anew. */
  private keyOf(model: ServedModel): string {
    const known = this.numbers.get(model);
    if (known !== undefined) return String(known);
    this.lastNumber += 1;
    this.numbers.set(model, this.lastNumber);
    return String(this.lastNumber);
  }

  private document(key: string, steps: () => Generator<undefined, Schema>): Promise<KeptBody> {
    const kept = this.kept.get(key);
    if (kept !== undefined) {
      this.kept.delete(key);
      this.kept.set(key, kept);
      return Promise.resolve(kept);
    }
    const coming = this.coming.get(key);
    if (coming !== undefined) return coming;
    const made = this.making.then(() => written(steps()));
    this.coming.set(key, made);
    this.making = made.then(
      (body) => this.keep(key, body),
      () => this.coming.delete(key),
    );
    return made;
  }

  private keep(key: string, body: KeptBody): void {
    this.coming.delete(key);
    this.kept.set(key, body);
    let bytes = 0;
    for (const one of this.kept.values()) bytes += one.byteLength;
    for (const [oldest, one] of this.kept) {
      if (bytes <= MOST_BYTES || oldest === key) break;
      this.kept.delete(oldest);
      bytes -= one.byteLength;
    }
  }
}

function describe(model: ServedModel): DescribedModel {
  const { modelName, modelVersion, signature, rowColumns } = model;
  return { modelName, modelVersion, signature, rowColumns, model: model.describe() };
}

/** Makes a document and writes it, and gives the event loop back in between. */
async function written(steps: Generator<undefined, Schema>): Promise<KeptBody> {
  const slices = new LoopSlices();
  let step = steps.next();
  while (step.done !== true) {
    await slices.pause();
    step = steps.next();
  }
  const pieces: Buffer[] = [];
  const hash = createHash("sha256");
  for (const text of writeDocument(step.value)) {
    const piece = Buffer.from(text);
    hash.update(piece);
    pieces.push(piece);
    await slices.pause();
  }
  return new KeptBody(Buffer.concat(pieces), "application/json", hash.digest("base64url"));
}
