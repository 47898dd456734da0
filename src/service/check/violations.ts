import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, type Violation, withoutStack } from "../../errors.ts";
import { sortByFieldPath } from "../../wording/field-paths.ts";

/** Collects what is wrong with one message: counts everything, keeps the first 1,000. */
export interface Violations {
  readonly count: number;
  /** False once 1,000 are kept: what would only be counted needs no text, and is left out instead. */
  readonly hasRoom: boolean;
  /** `description` is asked for only where the violation is shown. */
  add(field: string, description: string | (() => string), rule: string): void;
  /** Counts `count` more that nobody needs to see; default 1. */
  leaveOut(count?: number): void;
  /** Throws INVALID_REQUEST with all that was added, ordered by field path; does nothing where nothing was. */
  throwIfAny(): void;
}

const KEPT = 1000;
/** What callers wrote stands in both: each is cut, so that what is kept is bounded in octets. */
const LONGEST_FIELD = 1000;
const LONGEST_DESCRIPTION = 1000;

/** Makes an empty collection. */
export function createViolations(): Violations {
  return new ViolationList();
}

/** A class, because each request makes one and nearly all of them stay empty. */
class ViolationList implements Violations {
  count = 0;
  private kept: Violation[] | undefined;

  get hasRoom(): boolean {
    return this.kept === undefined || this.kept.length < KEPT;
  }

  add(field: string, description: string | (() => string), rule: string): void {
    this.count++;
    this.kept ??= [];
    if (this.kept.length >= KEPT) return;
    const path = clipped(field, LONGEST_FIELD);
    this.kept.push(
      typeof description === "string"
        ? { field: path, description: clipped(description, LONGEST_DESCRIPTION), rule }
        : new DescribedViolation(path, description, rule),
    );
  }

  leaveOut(count = 1): void {
    this.count += count;
  }

  throwIfAny(): void {
    if (this.count > 0) throw invalidRequest(this.kept ?? [], this.count);
  }
}

/** Its text is made where it is shown: the hint in it is dear, and of a thousand violations twenty are shown. */
class DescribedViolation implements Violation {
  readonly field: string;
  readonly rule: string;
  private readonly describe: () => string;
  private text: string | undefined = undefined;

  constructor(field: string, describe: () => string, rule: string) {
    this.field = field;
    this.describe = describe;
    this.rule = rule;
  }

  get description(): string {
    this.text ??= clipped(this.describe(), LONGEST_DESCRIPTION);
    return this.text;
  }
}

function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}

function invalidRequest(kept: readonly Violation[], count: number): AssayError {
  const violations = sortByFieldPath(kept);
  const first = violations[0]!;
  const rest = count === 1 ? "" : ` (and ${count - 1} more)`;
  const where = first.field === "" ? "" : `${first.field}: `;
  // The caller's mistake, of which a stream may bring thousands: nobody reads where it was found.
  return withoutStack(
    () =>
      new AssayError(Reason.INVALID_REQUEST, `${where}${first.description}${rest}`, {
        violations,
        violationCount: count,
      }),
  );
}
