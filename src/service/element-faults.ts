import type { Fault } from "./value-rules.ts";
import type { Violations } from "./violations.ts";

/** Single elements of one tensor that are wrong; made by `createElementFaults`. */
export interface ElementFaults {
  /** The next element that is wrong, by its row-major index; indices ascend. */
  add(index: number, fault: Fault): void;
}

/** Of each tensor the first so many elements are all named; after them only the first of each row, so that more rows are. */
const NAMED_ELEMENTS = 20;

/**
 * Names elements under `path` as `path[row][element of the row]`, or `path[row]` where a row has one, so that a client can leave
 * out the rows that are named and send the others. `rowElements` is undefined where the model has no rows: `path[index]` then.
 */
export function createElementFaults(
  path: string,
  rowElements: number | undefined,
  violations: Violations,
): ElementFaults {
  let named = 0;
  let lastRow = -1;
  return {
    add(index, { description, rule }) {
      const perRow = rowElements ?? 1;
      const row = Math.floor(index / perRow);
      if (named >= NAMED_ELEMENTS && row === lastRow) {
        violations.leaveOut();
        return;
      }
      named++;
      lastRow = row;
      const place = perRow === 1 ? `[${row}]` : `[${row}][${index % perRow}]`;
      violations.add(`${path}${place}`, description, rule);
    },
  };
}
