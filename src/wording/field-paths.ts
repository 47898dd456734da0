/** Columns are named by callers, in paths that the edge cuts at 256 characters: the name alone is cut, so that the path stays one. */
const SHOWN_NAME = 200;

/** A name in quotes for messages and paths, cut where it is long. */
export function shownName(name: string): string {
  if (name.length <= SHOWN_NAME) {
    const whole = JSON.stringify(name);
    if (whole.length <= SHOWN_NAME + 2) return whole;
  }
  // Signs that JSON escapes take up to six places each.
  for (let length = Math.min(name.length, SHOWN_NAME) - 1; ; length >>= 1) {
    const cut = JSON.stringify(`${name.slice(0, length).toWellFormed()}…`);
    if (cut.length <= SHOWN_NAME + 2) return cut;
  }
}

/** `rows[2].fields["age"]`. */
export function cellPath(row: number, column: string): string {
  return `rows[${row}].fields[${shownName(column)}]`;
}

/** A shape as it stands in messages, cut after the 16 axes that tensors have at most: `[2,30]`. */
export function shownShape(shape: readonly (number | bigint)[]): string {
  return shape.length <= 16 ? `[${shape.join(",")}]` : `[${shape.slice(0, 16).join(",")},…]`;
}

/** Names in one line, cut after twelve. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(", ");
  return names.length > 12 ? `${shown}, … (${names.length} in all)` : shown;
}

/** Sorts what has a field path as people count: `features[2]` before `features[10]`. */
export function sortByFieldPath<T extends { readonly field: string }>(list: readonly T[]): T[] {
  const keyed = list.map((one) => ({ one, parts: one.field.split(/(\d+)/) }));
  keyed.sort((a, b) => compareParts(a.parts, b.parts));
  return keyed.map(({ one }) => one);
}

/** Text and digits take turns, text first. */
function compareParts(partsA: readonly string[], partsB: readonly string[]): number {
  const { length } = partsA.length < partsB.length ? partsA : partsB;
  for (let i = 0; i < length; i++) {
    const partA = partsA[i]!;
    const partB = partsB[i]!;
    if (partA === partB) continue;
    if (i % 2 === 1) return Number(partA) - Number(partB) || partA.length - partB.length;
    return partA < partB ? -1 : 1;
  }
  return partsA.length - partsB.length;
}
