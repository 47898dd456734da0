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
