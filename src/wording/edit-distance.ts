/** The longest text that is compared. */
const LONGEST = 512;
const FAR = 0x7fff;

/** Rows of the table that are used again: distances of the text before the last two letters, before the last, and now. */
let beforePrevious = new Int16Array(LONGEST + 2);
let previous = new Int16Array(LONGEST + 2);
let current = new Int16Array(LONGEST + 2);

/**
 * Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal string alignment), or any number above
 * `limit` where more than `limit` are needed: only the band of the table that can hold less is looked at, and no further
 * than it does. Texts of more than 512 characters are never near.
 */
export function distanceWithin(a: string, b: string, limit: number): number {
  const { length } = b;
  if (Math.abs(a.length - length) > limit || a.length > LONGEST || length > LONGEST) return limit + 1;
  for (let j = 0; j <= length; j++) previous[j] = j;
  let leastBefore = 0;
  for (let i = 1; i <= a.length; i++) {
    const from = Math.max(1, i - limit);
    const to = Math.min(length, i + limit);
    const letter = a.charCodeAt(i - 1);
    const letterBefore = i > 1 ? a.charCodeAt(i - 2) : -1;
    current[from - 1] = from === 1 ? i : FAR;
    let least = current[from - 1]!;
    for (let j = from; j <= to; j++) {
      const other = b.charCodeAt(j - 1);
      let distance = previous[j - 1]! + (letter === other ? 0 : 1);
      distance = Math.min(distance, previous[j]! + 1, current[j - 1]! + 1);
      if (i > 1 && j > 1 && letter === b.charCodeAt(j - 2) && letterBefore === other) {
        distance = Math.min(distance, beforePrevious[j - 2]! + 1);
      }
      current[j] = distance;
      if (distance < least) least = distance;
    }
    current[to + 1] = FAR;
    // A swap reaches back two rows.
    if (least > limit && leastBefore > limit) return limit + 1;
    leastBefore = least;
    const free = beforePrevious;
    beforePrevious = previous;
    previous = current;
    current = free;
  }
  return previous[length]!;
}
