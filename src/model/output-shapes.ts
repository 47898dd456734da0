import { chooseScoreRule } from "./score-rule.ts";
import type { ModelSignature, Repair, TensorSpec } from "./signature.ts";

/** The shapes that came, by output. */
export type SeenShapes = ReadonlyMap<string, readonly (readonly number[])[]>;

/**
 * Corrects declared output shapes by those that came; the score rule follows. Declared open axes stay open.
 * `rowsOpen`: axis 0 counts rows. Where inputs have other open axes, lengths that came are those of one probe and stay open.
 */
export function correctOutputShapes(
  signature: ModelSignature,
  seen: SeenShapes,
  rowsOpen: boolean,
  scoreOutput: string,
): { signature: ModelSignature; repairs: Repair[] } {
  const repairs: Repair[] = [];
  const openAxes = signature.inputs.some(
    ({ shape, anyShape }) => anyShape === true || (rowsOpen ? shape.slice(1) : shape).includes(-1),
  );
  const observed = new Map<string, number[]>();
  const outputs = signature.outputs.map((spec) => {
    const common = commonShape(seen.get(spec.name) ?? [], rowsOpen);
    if (common === undefined) return spec;
    const came = openAxes
      ? common.map((length, axis) => (spec.shape[axis] === length ? length : -1))
      : common;
    observed.set(spec.name, came);
    if (fits(spec, came)) return spec;
    const { anyShape: _, ...rest } = spec;
    const columns = came.length === 2 ? came[1] : 0;
    const corrected = { ...rest, shape: came };
    const labels = spec.labels.length > 0 ? spec.labels : signature.labels;
    repairs.push({
      kind: "output_shape_corrected",
      target: spec.name,
      description: `declares ${spec.anyShape ? "no shape" : `[${spec.shape.join(",")}]`}; [${came.join(",")}] came and is served`,
    });
    return { ...corrected, labels: labels.length === columns ? labels : [] };
  });
  // What is open in the declaration still has a width that tells two classes from more.
  const effective = outputs.map((spec) => ({ ...spec, shape: observed.get(spec.name) ?? spec.shape }));
  const score = rowsOpen || scoreOutput !== "" ? chooseScoreRule(effective, scoreOutput) : undefined;
  const labels = outputs.find(({ name }) => name === score?.output)?.labels ?? [];
  return { signature: { ...signature, outputs, score, labels }, repairs };
}

function commonShape(shapes: readonly (readonly number[])[], rowsOpen: boolean): number[] | undefined {
  const first = shapes[0];
  if (first === undefined || shapes.some(({ length }) => length !== first.length)) return undefined;
  const common = first.map((length, axis) => (shapes.every((shape) => shape[axis] === length) ? length : -1));
  if (rowsOpen && common.length > 0) common[0] = -1;
  return common;
}

function fits(spec: TensorSpec, came: readonly number[]): boolean {
  if (spec.anyShape === true || spec.shape.length !== came.length) return false;
  return spec.shape.every((length, axis) => length === -1 || came[axis] === -1 || length === came[axis]);
}
