/**
 * Paths as a shell and the writers of data folders mean them: what a pattern leaves out, addresses that are no paths, and
 * folders whose names hold a column. Pure.
 */

/** What Spark, Hadoop, Hive and pyarrow put beside their data, and none of it is rows. */
const MARKER_FILE = /^_(SUCCESS|metadata|common_metadata|FAILED|started_\w+|committed_\w+)(\.crc)?$/;
const MARKER_FOLDER = /^_(temporary|delta_log|spark_metadata|symlink_format_manifest)$/;
/** Addresses, with or without an authority; `C:\` is one letter long. */
const SCHEME = /^([a-z][a-z0-9+.-]+):(?=\/)/i;
const SCHEME_ALONE = /^(dbfs|s3|s3a|s3n|gs|hdfs|abfss?|wasbs?|adl|r2|hf|oci|mlflow-artifacts):/i;
/** A folder of a Hive partition: `year=2024`. */
const PARTITION = /^([^=]+)=(.*)$/s;

/**
 * Tells whether a pattern's match is meant: `*`, `?` and `**` leave out names that begin with a dot, as a shell does, and the
 * markers of a table's writer, unless the pattern spells such a name's beginning itself.
 */
export function isMeant(pattern: string, path: string): boolean {
  const wanted = segments(pattern);
  const found = segments(path);
  return fits(wanted, 0, found, 0);
}

function fits(wanted: readonly string[], at: number, found: readonly string[], from: number): boolean {
  if (at === wanted.length) return from === found.length;
  const part = wanted[at]!;
  if (part === "**") {
    for (let end = from; ; end++) {
      if (fits(wanted, at + 1, found, end)) return true;
      if (end >= found.length || isLeftOut(found[end]!, end === found.length - 1)) return false;
    }
  }
  const name = found[from];
  if (name === undefined) return false;
  if (part !== name) {
    const isSpelled = /^[._]/.test(part);
    if (!isSpelled && isLeftOut(name, from === found.length - 1)) return false;
    if (!patternOf(part).test(name)) return false;
  }
  return fits(wanted, at + 1, found, from + 1);
}

function isLeftOut(name: string, isFile: boolean): boolean {
  return name.startsWith(".") || (isFile ? MARKER_FILE : MARKER_FOLDER).test(name);
}

/** One segment of a pattern: `*`, `?` and `[…]`, in which `!` at the start turns it around. */
function patternOf(segment: string): RegExp {
  const source = segment.replaceAll(/\*+|\?|\[([!^]?)(\]?[^\]]*)\]|[\\^$.|+(){}[\]]/g, (sign, not, set) => {
    if (sign.startsWith("*")) return ".*";
    if (sign === "?") return ".";
    if (set === undefined) return `\\${sign}`;
    return `[${not === "" ? "" : "^"}${String(set).replaceAll(/[\\\]^[]/g, "\\$&")}]`;
  });
  return new RegExp(`^${source}$`, "su");
}

function segments(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** The scheme of an address on another machine, `s3`; undefined for a path, and for `file:`. */
export function remoteScheme(input: string): string | undefined {
  const scheme = (SCHEME.exec(input) ?? SCHEME_ALONE.exec(input))?.[1]?.toLowerCase();
  return scheme === "file" ? undefined : scheme;
}

/** The path of a `file:` address; undefined where the input is none, or names another machine. */
export function pathOfAddress(input: string): string | undefined {
  const address = /^file:(?:\/\/(localhost)?)?(\/(?!\/).*)$/is.exec(input);
  if (address === null) return undefined;
  try {
    return decodeURIComponent(address[2]!);
  } catch {
    return address[2]!;
  }
}

/** The names that the folders of every path give values to, `year` in `data/year=2024/a.csv`, in their order. */
export function partitionNames(paths: readonly string[]): string[] {
  let common: string[] | undefined;
  for (const path of paths) {
    const names = segments(path)
      .slice(0, -1)
      .flatMap((part) => unescaped(PARTITION.exec(part)?.[1]) ?? []);
    common = common === undefined ? [...new Set(names)] : common.filter((name) => names.includes(name));
  }
  return common ?? [];
}

/** What Hive writes for a value that is missing. */
const NO_VALUE = "__HIVE_DEFAULT_PARTITION__";

/** The values that the folders of a path give to names; null for a missing one. */
export function partitionValues(path: string): Map<string, string | null> {
  const values = new Map<string, string | null>();
  for (const part of segments(path).slice(0, -1)) {
    const [, name, value = ""] = PARTITION.exec(part) ?? [];
    if (name !== undefined) values.set(unescaped(name)!, value === NO_VALUE ? null : unescaped(value)!);
  }
  return values;
}

/** Writers put signs that no folder's name may have as `%2F`. */
function unescaped(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return text;
  }
}
