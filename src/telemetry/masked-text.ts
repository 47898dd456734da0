/**
 * What an error from below says, without what may be a value of a request: ONNX Runtime's messages and V8's own quote the numbers and
 * texts that they fail on. Names of nodes, shapes, and the places in a stack stay.
 */

/** Kept; else quoted; else a number that stands alone. */
const PARTS =
  /(Name:'[^']*'|\bversion \d+|\{[\d\s,-]*\}|\[[\d\s,-]*\])|("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)/gi;

/** The longest of a cause that is logged, stack and all. */
const MAX_CHARACTERS = 4000;

/** V8 quotes a text with quotes of its own. */
const OF_JSON = /Unexpected [^\n]* is not valid JSON/g;

/** A message without values. */
export function maskedText(text: string): string {
  const masked = text
    .replaceAll(OF_JSON, "a text is not valid JSON")
    .replaceAll(PARTS, (_, kept?: string, quoted?: string) => {
      if (kept !== undefined) return kept;
      return quoted === undefined ? "#" : `${quoted[0]}…${quoted[0]}`;
    });
  return masked.length > MAX_CHARACTERS ? `${masked.slice(0, MAX_CHARACTERS - 1)}…` : masked;
}

/** What was thrown: its message without values, and where it was thrown. */
export function maskedCause(cause: unknown): string {
  if (!(cause instanceof Error)) return maskedText(String(cause));
  const { name, message, stack = "" } = cause;
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  const text = [`${name}: ${maskedText(message)}`, ...frames].join("\n");
  const below = cause.cause === undefined ? "" : `\ncaused by ${maskedCause(cause.cause)}`;
  return `${text}${below}`.slice(0, MAX_CHARACTERS);
}
