import { KnownNames, type NameBudget } from "./nearest-name.ts";

/** What the hints of all requests together may take: about 2 % of the event loop, and 10 ms at once. */
const STEPS_A_MILLISECOND = 20_000;
const MOST_STEPS = 10_000_000;
/** Callers make the same mistake in each row and call: so many answers are kept. */
const KEPT_ANSWERS = 256;

const allowance: NameBudget = { left: MOST_STEPS };
let refilledAt = 0;

/** The names that a model has for something; made once, as it keeps what it found. */
export class NameHints {
  private readonly names: KnownNames;
  private readonly answers = new Map<string, string>();

  constructor(names: Iterable<string>) {
    this.names = new KnownNames(names);
  }

  /** `; did you mean "x"?`, or nothing where no name is close, or too many were asked for of late. */
  didYouMean(name: string): string {
    const known = this.answers.get(name);
    if (known !== undefined) return known;
    refill(performance.now());
    if (allowance.left <= 0) return "";
    const answer = this.names.didYouMean(name, allowance);
    // What was broken off is not the answer.
    if (allowance.left <= 0 && answer === "") return answer;
    if (this.answers.size >= KEPT_ANSWERS) this.answers.clear();
    if (name.length <= 256) this.answers.set(name, answer);
    return answer;
  }
}

function refill(now: number): void {
  allowance.left = Math.min(MOST_STEPS, allowance.left + (now - refilledAt) * STEPS_A_MILLISECOND);
  refilledAt = now;
}
