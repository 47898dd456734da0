import type { TensorData } from "../../tensor/tensor-data.ts";
import { nameClasses } from "../scores/class-names.ts";
import type { OutputOrigins } from "../scores/output-origins.ts";
import { holdAgainstRows, labelNames, unitOutputs } from "../scores/score-evidence.ts";
import { type AskedOutputs, chooseScore, type ScoreChoice } from "../scores/score-rule.ts";
import type { ModelSignature, Repair, TensorSpec } from "../signature.ts";

/** The shapes that came, by output. */
export type SeenShapes = ReadonlyMap<string, readonly (readonly number[])[]>;

/** Outputs as a run showed them, and what else decides how they are read. */
export interface SeenOutputs {
  readonly shapes: SeenShapes;
  /** The outputs of all rows that ran; empty where none did. */
  readonly rows: readonly TensorData[];
  /** Axis 0 counts rows. */
  readonly rowsOpen: boolean;
  readonly origins: OutputOrigins;
  readonly asked: AskedOutputs & { readonly labels: readonly string[] };
  /** Class labels by output, of files beside the model. */
  readonly labels?: ReadonlyMap<string, readonly string[]>;
}

/**
 * Corrects declared output shapes by those that came, and chooses the score again by what the numbers show. Declared open axes
 * stay open. Where inputs have other open axes, lengths that came are those of one probe and stay open.
 */
export function correctOutputShapes(
  signature: ModelSignature,
  seen: SeenOutputs,
): { signature: ModelSignature; repairs: Repair[]; notices: readonly string[] } {
  const { rowsOpen, origins, asked } = seen;
  const repairs: Repair[] = [];
  const openAxes = signature.inputs.some(
    ({ shape, anyShape }) => anyShape === true || (rowsOpen ? shape.slice(1) : shape).includes(-1),
  );
  const observed = new Map<string, number[]>();
  const corrected = signature.outputs.map((spec) => {
    const hasRows = rowsOpen && spec.rowless !== true;
    const common = commonShape(seen.shapes.get(spec.name) ?? [], hasRows);
    if (common === undefined) return spec;
    const came = openAxes
      ? common.map((length, axis) => (spec.shape[axis] === length ? length : -1))
      : common;
    observed.set(spec.name, came);
    if (fits(spec, came)) return spec;
    const { anyShape: _, ...rest } = spec;
    repairs.push({
      kind: "output_shape_corrected",
      target: spec.name,
      description: `declares ${spec.anyShape ? "no shape" : `[${spec.shape.join(",")}]`}; [${came.join(",")}] came and is served`,
    });
    return { ...rest, shape: came };
  });
  // What is open in the declaration still has a width that tells two classes from more.
  const effective = nameClasses(
    corrected.map((spec) => ({ ...spec, shape: observed.get(spec.name) ?? spec.shape })),
    origins,
    asked.labels,
    seen.labels,
  );
  const outputs = corrected.map((spec, index) => ({ ...spec, labels: effective[index]!.labels }));
  const choice = chooseAgain(effective, seen);
  return {
    signature: withChoice({ ...signature, outputs }, choice, origins),
    repairs,
    notices: choice.notices,
  };
}

function chooseAgain(outputs: readonly TensorSpec[], seen: SeenOutputs): ScoreChoice {
  const { origins, asked, rows, rowsOpen } = seen;
  const isAsked = asked.scoreOutput !== "" || asked.labelOutput !== "";
  if (!rowsOpen && !isAsked) return { score: undefined, labelOutput: undefined, notices: [] };
  const choice = chooseScore(outputs, origins, asked, unitOutputs(rows));
  return asked.scoreOutput === "" ? holdAgainstRows(choice, outputs, origins, rows) : choice;
}

/** The signature with its score and labels as chosen. */
export function withChoice(
  signature: Omit<ModelSignature, "score" | "labelOutput" | "labels" | "labelNames">,
  choice: ScoreChoice,
  origins: OutputOrigins,
): ModelSignature {
  const { score, labelOutput } = choice;
  const { labelNames: _, ...rest } = signature as ModelSignature;
  const scored = signature.outputs.find(({ name }) => name === score?.output);
  const names = labelNames(origins.get(labelOutput ?? "")?.decision, scored?.labels ?? []);
  const outputs = signature.outputs.map((spec) => {
    if (spec === scored) return score?.column === 0 ? { ...spec, labels: spec.labels.toReversed() } : spec;
    return origins.get(spec.name)?.svmPairs === true ? { ...spec, labels: [] } : spec;
  });
  return {
    ...rest,
    outputs,
    score,
    labelOutput,
    labels: outputs.find(({ name }) => name === score?.output)?.labels ?? [],
    ...(names === undefined ? {} : { labelNames: names }),
  };
}

function commonShape(shapes: readonly (readonly number[])[], hasRows: boolean): number[] | undefined {
  const first = shapes[0];
  if (first === undefined || shapes.some(({ length }) => length !== first.length)) return undefined;
  const common = first.map((length, axis) => (shapes.every((shape) => shape[axis] === length) ? length : -1));
  if (hasRows && common.length > 0) common[0] = -1;
  return common;
}

function fits(spec: TensorSpec, came: readonly number[]): boolean {
  if (spec.anyShape === true || spec.shape.length !== came.length) return false;
  return spec.shape.every((length, axis) => length === -1 || came[axis] === -1 || length === came[axis]);
}
