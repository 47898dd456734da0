import type { ModelSignature, TensorSpec } from "../../model/signature.ts";

/** At most so many are told one by one. */
const MOST_TOLD = 8;

/** Where a signature differs from the one before it, in words; empty where callers notice nothing. */
export function signatureChanges(before: ModelSignature, after: ModelSignature): string[] {
  const changes = [
    ...tensorChanges("input", before.inputs, after.inputs),
    ...tensorChanges("output", before.outputs, after.outputs),
  ];
  const scores = [before, after].map(({ score }) => score?.output ?? "none");
  if (scores[0] !== scores[1]) changes.push(`scores are read from ${scores[1]}, ${scores[0]} before`);
  if (before.labels.join("\0") !== after.labels.join("\0"))
    changes.push(`labels are ${shown(after.labels)}, ${shown(before.labels)} before`);
  return changes.length <= MOST_TOLD
    ? changes
    : [...changes.slice(0, MOST_TOLD), `and ${changes.length - MOST_TOLD} more`];
}

function tensorChanges(kind: string, before: readonly TensorSpec[], after: readonly TensorSpec[]): string[] {
  const old = new Map(before.map((spec) => [spec.name, spec]));
  const names = new Set(after.map(({ name }) => name));
  const gone = before
    .filter(({ name }) => !names.has(name))
    .map((spec) => `${kind} ${JSON.stringify(spec.name)} has gone`);
  const changed = after.flatMap((spec) => {
    const was = old.get(spec.name);
    const what = `${kind} ${JSON.stringify(spec.name)}`;
    if (was === undefined) return [`${what} is new: ${typeOf(spec)}`];
    if (typeOf(was) !== typeOf(spec)) return [`${what} is ${typeOf(spec)}, ${typeOf(was)} before`];
    return was.featureNames.join("\0") === spec.featureNames.join("\0")
      ? []
      : [`${what} has other columns or another order of them`];
  });
  return [...gone, ...changed];
}

function typeOf({ datatype, shape, optional }: TensorSpec): string {
  return `${datatype}[${shape.map((length) => (length < 0 ? "?" : length)).join(",")}]${optional ? ", optional" : ""}`;
}

function shown(labels: readonly string[]): string {
  if (labels.length === 0) return "none";
  const first = labels.slice(0, 5).join(", ");
  return labels.length > 5 ? `${first}, … (${labels.length})` : first;
}
