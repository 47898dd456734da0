import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";

/** Collects what is wrong between a table and a model, so that it is told at once. */
export interface TableProblems {
  add(line: string): void;
  /** What stands behind all of them, such as what there is instead. */
  addAfter(line: string): void;
  readonly size: number;
  /** Throws TABLE_INVALID with a line a problem, the first 30; does nothing where there is none. */
  throwIfAny(): void;
}

const LISTED = 30;

/** Makes an empty collection. */
export function createTableProblems(): TableProblems {
  const lines: string[] = [];
  const after: string[] = [];
  return {
    get size() {
      return lines.length;
    },
    addAfter(line) {
      after.push(line);
    },
    add(line) {
      lines.push(line);
    },
    throwIfAny() {
      if (lines.length === 0) return;
      const more = lines.length > LISTED ? [`and ${lines.length - LISTED} more`] : [];
      throw new AssayError(Reason.TABLE_INVALID, [...lines.slice(0, LISTED), ...more, ...after].join("\n"));
    },
  };
}
