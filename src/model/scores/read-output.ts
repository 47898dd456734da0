import { isFloat as isFloatType } from "../../tensor/datatype.ts";
import { quoted } from "../refusal.ts";
import type { TensorSpec } from "../signature.ts";
import type { OutputOrigin } from "./output-origins.ts";

/** An output as the choice sees it. */
export interface ReadOutput {
  readonly spec: TensorSpec;
  readonly origin: OutputOrigin;
}

/** By output: whether every number that came lies between 0 and 1; absent where none came. */
export type UnitOutputs = ReadonlyMap<string, boolean>;

/** True for an output that a score can be read from: numbers, one or several a row. A scalar is the score of no rows. */
export function canHoldScores({ datatype, shape }: TensorSpec): boolean {
  return datatype !== "BYTES" && datatype !== "BOOL" && shape.length <= 2;
}

/** True for an output that can hold one class a row: `[N]` or `[N,1]`. */
export function isVector({ shape }: TensorSpec): boolean {
  return shape.length === 1 || (shape.length === 2 && shape[1] === 1);
}

/** True for float `[N, C]` with at least two columns, or an open number of them. */
export function isFloatMatrix(spec: TensorSpec): boolean {
  return isFloat(spec) && spec.shape.length === 2 && spec.shape[1] !== 1 && spec.shape[1] !== 0;
}

/** True for 16, 32 and 64 bit floats. */
export function isFloat({ datatype }: TensorSpec): boolean {
  return isFloatType(datatype);
}

/** Of labels that say the same, names before numbers before floats. */
export function preference({ datatype }: TensorSpec): number {
  return datatype === "BYTES" ? 0 : isFloatType(datatype) ? 2 : 1;
}

/** What exporters call the uncertainty that stands beside a prediction. */
const COMPANION =
  /(^|[^a-z])(\w*std|\w*stdev|stddev|\w*var|variance|sigma|lower|upper|interval|leaf|node|path)s?([^a-z]|$)/i;

/** The only output of one number a row: without copies of the same, what is called an uncertainty, and raw forms of a probability. */
export function onlyValue(values: readonly ReadOutput[], unit: UnitOutputs): ReadOutput | undefined {
  const different = values.filter(
    ({ origin: { base } }, index) =>
      base === "" || values.findIndex((other) => other.origin.base === base) === index,
  );
  if (different.length < 2) return different[0];
  const main = different.filter(({ spec }) => !COMPANION.test(spec.name));
  if (main.length === 1) return main[0];
  const [first] = main;
  const related = main.every(({ origin }) =>
    [...origin.sources].some((name) => first!.origin.sources.has(name)),
  );
  const likely = main.filter(({ spec, origin }) => origin.probability === 2 && unit.get(spec.name) !== false);
  const raw = main.filter(({ origin }) => origin.probability === 0);
  return related && likely.length === 1 && raw.length === main.length - 1 ? likely[0] : undefined;
}

/** Outputs as a notice names them: `"a" FP32[-1,1] and "b" FP32[-1,1]`. */
export function listed(outputs: readonly ReadOutput[]): string {
  const texts = outputs
    .slice(0, 6)
    .map(({ spec }) => `${quoted(spec.name)} ${spec.datatype}[${spec.shape.join(",")}]`);
  if (outputs.length > 6) return `${texts.join(", ")} and ${outputs.length - 6} more`;
  return texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`;
}
