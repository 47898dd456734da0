/**
 * Other spellings under which a table may have a column whose input is called `name`: exporters turn every other sign
 * into `_` (`education-num` → `education_num`). Empty for names without `_`.
 */
export function tableSpellings(name: string): string[] {
  if (!name.includes("_")) return [];
  const bare = /^_\d/.test(name) ? name.slice(1) : name;
  const spellings = ["-", " ", "."].map((sign) => bare.replaceAll("_", sign));
  return bare === name ? spellings : [bare, ...spellings];
}

/** The input name that an exporter makes of a table's column: every sign but letters and digits becomes `_`. */
export function exporterSpelling(column: string): string {
  const name = column.replaceAll(/[^0-9a-zA-Z]/g, "_");
  return /^\d/.test(name) ? `_${name}` : name;
}
