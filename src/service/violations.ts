import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError, type Violation } from "../errors.ts";

/** Collects what is wrong with one message: counts everything, keeps the first 1,000. */
export interface Violations {
  readonly count: number;
  add(field: string, description: string, rule: string): void;
  /** Counts one more that nobody needs to see. */
  leaveOut(): void;
  /** Throws INVALID_REQUEST with all that was added, ordered by field path; does nothing where nothing was. */
  throwIfAny(): void;
}

const KEPT = 1000;

/** Makes an empty collection. */
export function createViolations(): Violations {
  return new ViolationList();
}

/** A class, because each request makes one and nearly all of them stay empty. */
class ViolationList implements Violations {
  count = 0;
  private kept: Violation[] | undefined;

  add(field: string, description: string, rule: string): void {
    this.count++;
    this.kept ??= [];
    if (this.kept.length < KEPT) this.kept.push({ field, description, rule });
  }

  leaveOut(): void {
    this.count++;
  }

  throwIfAny(): void {
    if (this.count > 0) throw invalidRequest(this.kept ?? [], this.count);
  }
}

function invalidRequest(kept: Violation[], count: number): AssayError {
  kept.sort((a, b) => compareFieldPaths(a.field, b.field));
  const first = kept[0]!;
  const rest = count === 1 ? "" : ` (and ${count - 1} more)`;
  const where = first.field === "" ? "" : `${first.field}: `;
  return new AssayError(Reason.INVALID_REQUEST, `${where}${first.description}${rest}`, {
    violations: kept,
    violationCount: count,
  });
}

/** Orders field paths as people count: `features[2]` before `features[10]`. */
export function compareFieldPaths(a: string, b: string): number {
  const partsA = a.split(/(\d+)/);
  const partsB = b.split(/(\d+)/);
  for (let i = 0; i < Math.min(partsA.length, partsB.length); i++) {
    const partA = partsA[i]!;
    const partB = partsB[i]!;
    if (partA === partB) continue;
    if (i % 2 === 1 && partA !== partB) return Number(partA) - Number(partB);
    return partA < partB ? -1 : 1;
  }
  return partsA.length - partsB.length;
}
