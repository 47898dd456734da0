import { readFileSync } from "node:fs";
import { join } from "node:path";
import { applyGateOutcome, passGoldenGate } from "../../../src/model/gate/golden-gate.ts";
import type { PreparedModel } from "../../../src/model/prepared-model.ts";
import type { ModelSignature } from "../../../src/model/signature.ts";
import type { BareSession } from "../models/bare-session.ts";

/** One row of the table of patterns in docs/models.md: library, what is exported, outputs, score, label. */
export type PatternRow = readonly [string, string, string, string, string];

const ROOT = join(import.meta.dirname, "../../..");

/** The rows of the table of patterns, by library and model. */
export function documentedPatterns(): ReadonlyMap<string, PatternRow> {
  const page = readFileSync(join(ROOT, "docs/models.md"), "utf8");
  const table = page.slice(page.indexOf("| library | what is exported |"));
  const lines = table.slice(0, table.indexOf("\n\n")).split("\n").slice(2);
  const rows = lines.map((line) => line.slice(2, -2).split(" | ") as unknown as PatternRow);
  return new Map(rows.map((row) => [`${row[0]}: ${row[1]}`, row]));
}

/** The row that a model's signature makes. */
export function patternRow(library: string, model: string, signature: ModelSignature): PatternRow {
  const { score, labelOutput } = signature;
  const outputs = signature.outputs.map(({ name, datatype, shape }) => {
    const axes = shape.map((length, axis) => (axis === 0 && length === -1 ? "N" : length)).join(", ");
    return `\`${name}\` ${datatype} [${axes}]`;
  });
  const second = score?.column === undefined ? "second class" : `second class (column ${score.column})`;
  const kinds = { value: "", "second-class": `, ${second}`, "highest-class": ", highest class" };
  return [
    library,
    model,
    outputs.join(", "),
    score === undefined ? "none" : `\`${score.output}\`${kinds[score.kind]}`,
    labelOutput === undefined ? "none" : `\`${labelOutput}\``,
  ];
}

/** The model as the gate lets it be served; throws where it does not. */
export async function gated(model: PreparedModel, session: BareSession): Promise<PreparedModel> {
  const outcome = await passGoldenGate(model, session.run);
  if (outcome.kind === "refused") throw new Error(outcome.reason);
  return applyGateOutcome(model, outcome);
}
