import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, type Violation } from "../../errors.ts";
import type { ExactJson } from "./json-text.ts";

/** What a call shows of them; the rest is counted, and nothing is written for it. */
const KEPT = 20;
const SHOWN_CHARACTERS = 40;

/** Faults of the values of one JSON message: all is counted, the first are kept. */
export class JsonFaults {
  count = 0;
  private readonly kept: Violation[] = [];

  /** Whether the next fault would be kept: if not, its text need not be made. */
  get isFull(): boolean {
    return this.kept.length >= KEPT;
  }

  add(field: string, description: string, rule: string): void {
    this.count++;
    if (!this.isFull) this.kept.push({ field, description, rule });
  }

  /** Counts faults that nobody sees. */
  addUnseen(count: number): void {
    this.count += count;
  }

  /** Throws INVALID_REQUEST where there is any. */
  throwIfAny(): void {
    const { kept, count } = this;
    const first = kept[0];
    if (first === undefined) return;
    const rest = count > 1 ? ` (and ${count - 1} more)` : "";
    throw new AssayError(Reason.INVALID_REQUEST, `${first.field || "body"}: ${first.description}${rest}`, {
      violations: kept,
      violationCount: count,
    });
  }
}

/** A value as an error shows it: short, whatever came. */
export function shownValue(value: ExactJson): string {
  if (typeof value === "string") {
    const cut = value.length > SHOWN_CHARACTERS;
    return `${JSON.stringify(value.slice(0, SHOWN_CHARACTERS))}${cut ? "…" : ""}`;
  }
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}
