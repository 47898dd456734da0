import { ModelState } from "../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../errors.ts";
import type { FoundModel } from "../model/prepared-model.ts";
import { type Generation, type LoadOptions, loadModel } from "./load-model.ts";
import type { ModelTable } from "./model-table.ts";

/** Models that are loaded at one time: each may hold a core and twice its memory meanwhile. */
const MAX_LOADING = 4;
/** The next model does not wait longer than this for one that is slow, or that never answers. */
const HEAD_START_MS = 500;

/**
 * Loads models and puts each into `table` as it settles: served, or failed with its reason. A model that does not answer keeps
 * none of the others waiting. Ends early, with nothing more begun, once `isStopping` says so.
 */
export async function loadModels(
  found: readonly FoundModel[],
  table: ModelTable,
  options: LoadOptions,
  onLoaded: (generation: Generation) => void,
  isStopping: () => boolean,
): Promise<void> {
  const loading = new Set<Promise<void>>();
  for (const one of found) {
    if (isStopping()) break;
    while (loading.size >= MAX_LOADING) await Promise.race(loading);
    const settled = loadOne(one, table, options, onLoaded).finally(() => loading.delete(settled));
    loading.add(settled);
    await headStart(settled);
  }
  await Promise.all(loading);
}

async function loadOne(
  found: FoundModel,
  table: ModelTable,
  options: LoadOptions,
  onLoaded: (generation: Generation) => void,
): Promise<void> {
  const loaded = found.kind === "refused" ? found : await loadModel(found.model, options);
  if ("served" in loaded) {
    onLoaded(loaded);
    table.put(loaded.served);
    return;
  }
  const { modelName, modelVersion, reason } = loaded;
  // A refusal that explains itself needs no stack in the log; what made it fail does.
  const err = loaded.cause instanceof AssayError ? loaded.cause.cause : loaded.cause;
  options.log.error({ model: modelName, version: modelVersion, err }, `not served: ${reason}`);
  table.putUnserved({ modelName, modelVersion, state: ModelState.FAILED, reason });
}

async function headStart(settled: Promise<void>): Promise<void> {
  const { promise: isOver, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, HEAD_START_MS);
  await Promise.race([settled, isOver]);
  clearTimeout(timer);
}
