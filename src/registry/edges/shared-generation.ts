import type { ModelSettings } from "../../model/config/model-settings.ts";
import type { PreparedModel } from "../../model/prepared-model.ts";

/** The most bytes of the inputs, and of the outputs, of one run. */
export const MAX_RUN_BYTES = 256 * 1024 * 1024;

/** Where the edges tell each other what waits for a model, and the place of one of them. */
export interface QueuePlace {
  readonly memory: SharedArrayBuffer;
  readonly place: number;
}

/** A generation on its way to another edge, which it reaches as a copy: what it is served with, without what it is loaded of. */
export interface SharedGeneration {
  readonly model: PreparedModel;
  readonly scheduling: ModelSettings;
  /** What waits for it, edge by edge. */
  readonly queues: SharedArrayBuffer;
}
