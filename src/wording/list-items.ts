/**
 * Takes a list apart at its commas. An item may stand in double quotes, as in CSV: commas and spaces in them belong to it,
 * and a quote is doubled. Spaces around items and items of nothing are left out. Undefined where a quote does not end, or
 * text follows its end.
 */
export function readListItems(text: string): string[] | undefined {
  const items: string[] = [];
  const item = /\s*(?:"((?:[^"]|"")*)"\s*|([^",\s][^,]*)?)(,|$)/y;
  while (item.lastIndex <= text.length) {
    const found = item.exec(text);
    if (found === null) return undefined;
    const [, quoted, plain = "", separator] = found;
    if (quoted !== undefined) items.push(quoted.replaceAll('""', '"'));
    else if (plain.trim() !== "") items.push(plain.trim());
    if (separator === "") return items;
  }
  return items;
}

/** An item as a list has to have it: in quotes where it holds a comma, or begins with a quote or a space or ends with one. */
export function listItem(item: string): string {
  return /,|^["\s]|\s$/.test(item) ? `"${item.replaceAll('"', '""')}"` : item;
}
