/** A number and what it counts, for messages: `1 row`, `1,234 rows`. `noun` is a word whose plural has an s. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}
