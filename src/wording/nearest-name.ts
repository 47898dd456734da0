import { distanceWithin } from "./edit-distance.ts";

/** The budget of comparing names, in steps of about a nanosecond; used up, no name is near. */
export interface NameBudget {
  left: number;
}

/** For one name among some thousands. */
const STEPS_A_NAME = 4_000_000;
/** Names longer than this are no misspellings of anything. */
const LONGEST_NAME = 256;
/** Of so many mistakes at most, whatever the length. */
const MOST_MISTAKES = 16;
/** Folding a name and looking at a candidate cost about so many steps. */
const STEPS_A_FOLD = 500;
const STEPS_A_CANDIDATE = 10;

/** Names that are known, for finding what a misspelt one meant; kept, it is several times as fast as `nearestName`. */
export class KnownNames {
  private readonly names: readonly string[];
  private readonly byFolded = new Map<string, string>();
  private readonly folded: string[] = [];
  /** The letters of each folded name, a bit each. */
  private readonly letters: number[] = [];

  constructor(names: Iterable<string>) {
    this.names = [...names];
  }

  /**
   * The name that someone who wrote `name` most likely meant, or undefined where nothing is close: a different spelling
   * (case, `-`, `_`, spaces), else the smallest edit distance up to a third of the length.
   */
  nearest(name: string, budget: NameBudget = { left: STEPS_A_NAME }): string | undefined {
    if (name.length > LONGEST_NAME || budget.left <= 0) return undefined;
    this.fold(budget);
    budget.left -= STEPS_A_FOLD;
    const folded = fold(name);
    const same = this.byFolded.get(folded);
    if (same !== undefined) return same;
    const letters = lettersOf(folded);
    let best: string | undefined;
    let most = Math.min(MOST_MISTAKES, Math.max(1, Math.floor(name.length / 3)));
    for (let i = 0; i < this.folded.length && budget.left > 0; i++) {
      const candidate = this.folded[i]!;
      budget.left -= STEPS_A_CANDIDATE;
      if (Math.abs(candidate.length - folded.length) > most) continue;
      // Each mistake accounts for one letter that only one of them has.
      const other = this.letters[i]!;
      if (bitCount(letters & ~other) > most || bitCount(other & ~letters) > most) continue;
      budget.left -= folded.length * (2 * most + 1);
      const distance = distanceWithin(folded, candidate, most);
      if (distance > most) continue;
      best = this.names[i];
      most = distance - 1;
    }
    return best;
  }

  /** `; did you mean "x"?`, or nothing where no name is close. */
  didYouMean(name: string, budget?: NameBudget): string {
    const nearest = this.nearest(name, budget);
    return nearest === undefined ? "" : `; did you mean ${JSON.stringify(nearest)}?`;
  }

  /** Once; what a budget does not pay for is folded with the next. */
  private fold(budget: NameBudget): void {
    for (let i = this.folded.length; i < this.names.length && budget.left > 0; i++) {
      const name = this.names[i]!;
      budget.left -= STEPS_A_FOLD;
      const folded = fold(name);
      this.folded.push(folded);
      this.letters.push(lettersOf(folded));
      if (!this.byFolded.has(folded)) this.byFolded.set(folded, name);
    }
  }
}

/** The nearest of `known` as `KnownNames` tells it. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  return new KnownNames(known).nearest(name);
}

/** `; did you mean "x"?`, or nothing where no name is close. */
export function didYouMean(name: string, known: Iterable<string>): string {
  return new KnownNames(known).didYouMean(name);
}

function fold(name: string): string {
  return name
    .slice(0, LONGEST_NAME)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, "");
}

function lettersOf(folded: string): number {
  let letters = 0;
  for (let i = 0; i < folded.length; i++) letters |= 1 << (folded.charCodeAt(i) & 31);
  return letters;
}

function bitCount(bits: number): number {
  let rest = bits - ((bits >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return (((rest + (rest >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
