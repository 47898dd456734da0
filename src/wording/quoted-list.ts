const LISTED = 12;

/** Names in quotes, the first dozen: `"a", "b" and 3 more`. */
export function quotedList(names: readonly string[]): string {
  const listed = names.slice(0, LISTED).map((name) => JSON.stringify(name));
  return names.length > LISTED ? `${listed.join(", ")} and ${names.length - LISTED} more` : listed.join(", ");
}
