import type { Fault } from "../check/value-rules.ts";
import type { Violations } from "../check/violations.ts";

/** Single elements of one tensor that are wrong; made by `createElementFaults`. */
export interface ElementFaults {
  /** The next element that is wrong, by its row-major index; indices ascend. */
  add(index: number): void;
}

/** Of each tensor the first so many elements are all named; after them only the first of each row, so that more rows are. */
const NAMED_ELEMENTS = 20;

/**
 * Names elements under `path` as `path[row][element of the row]`, or `path[row]` where a row has one, so that a client can leave
 * out the rows that are named and send the others. `rowElements` is undefined where the model has no rows: `path[index]` then.
 * `describe` is asked for the elements that are named, and for no others: there may be millions.
 */
export function createElementFaults(
  path: string,
  rowElements: number | undefined,
  violations: Violations,
  describe: (index: number) => Fault,
): ElementFaults {
  const perRow = rowElements ?? 1;
  let named = 0;
  let lastRow = -1;
  return {
    add(index) {
      if (!violations.hasRoom) {
        violations.leaveOut();
        return;
      }
      const row = Math.floor(index / perRow);
      if (named >= NAMED_ELEMENTS && row === lastRow) {
        violations.leaveOut();
        return;
      }
      named++;
      lastRow = row;
      const place = perRow === 1 ? `[${row}]` : `[${row}][${index % perRow}]`;
      const { description, rule } = describe(index);
      violations.add(`${path}${place}`, description, rule);
    },
  };
}
