import { createHash } from "node:crypto";
import type { Model } from "../../gen/assay/v1/model_service_pb.ts";
import { SCORE_FLAGS } from "../config/flag-table.ts";
import type { ScoreSettings } from "../config/score-settings.ts";
import type { TableSource } from "../table/table-source.ts";
import type { ManifestFingerprint } from "../table/write/manifest.ts";
import type { ColumnMapping } from "./columns/column-mapping.ts";

/** Flags that say where and how a run happens, not what comes out of it. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  "model",
  "input",
  "output",
  "server",
  "key-file",
  "models",
  "devices",
  "dry-run",
  "overwrite",
  "restart",
  "streams",
  "retry-timeout-ms",
  "json-progress",
  "part-rows",
]);

/** The facts that decide a run's result: input, model, and every flag that has an effect on it. */
export function scoreFingerprint(
  settings: ScoreSettings,
  source: TableSource,
  model: Model,
  mapping: Pick<ColumnMapping, "tensors">,
): ManifestFingerprint {
  const values = settings as unknown as Record<string, unknown>;
  const flags: Record<string, string> = {};
  for (const { name, field } of SCORE_FLAGS) {
    if (WITHOUT_EFFECT.has(name)) continue;
    const value = name === "map" ? [...settings.maps].map((pair) => pair.join("=")) : values[field.localName];
    flags[`--${name}`] = value === undefined ? "" : String(value);
  }
  const { modelName, modelVersion, sha256, scoreOutput, labelOutput, labels } = model;
  // config.json decides these beside the model's file.
  const columns = mapping.tensors.map(({ name, columns }) => [name, ...columns.map(({ column }) => column)]);
  flags["the mapping of columns"] = shortened(JSON.stringify(columns));
  flags["the output that scores are read from"] = scoreOutput;
  flags["the output that labels are read from"] = labelOutput;
  flags["the labels"] = shortened(JSON.stringify(labels));
  return {
    inputs: source.inputs,
    model: { name: modelName, version: modelVersion, sha256 },
    settings: flags,
  };
}

/** What a message can show, and the digest of what it cannot. */
function shortened(text: string): string {
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return text.length <= 200 ? text : `${text.slice(0, 200)}… (sha256 ${digest})`;
}
