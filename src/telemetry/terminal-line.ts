/**
 * A line of the log for people at a terminal: the time of day, the level, the sentence, then the fields. Comes in: the JSON line that the
 * log writes elsewhere. Promises: one line, whatever the fields hold; nothing that a terminal would obey but the colours.
 */

const RESET = "\u001b[0m";
const DIM = "\u001b[2m";
const COLOURS: Readonly<Record<string, string>> = {
  trace: DIM,
  debug: DIM,
  info: "\u001b[32m",
  warn: "\u001b[33m",
  error: "\u001b[31m",
  fatal: "\u001b[31m",
};

/** C0 and C1 controls, and what turns the direction of a text or breaks its line. */
const UNSHOWN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const WITHOUT_QUOTES = /^[^\s"=\\\p{Cc}\p{Cf}]+$/u;

/** The line of a JSON line, its end included; what is no JSON object comes back with its controls shown. */
export function terminalLine(json: string, hasColours: boolean): string {
  const record = parsed(json);
  if (record === undefined) return `${shownControls(json.trimEnd())}\n`;
  const { level, time, msg, ...fields } = record;
  const paint = (code: string | undefined, text: string): string =>
    hasColours && code !== undefined && text !== "" ? `${code}${text}${RESET}` : text;
  const rest = Object.entries(fields).map(([name, value]) => `${shownControls(name)}=${shownValue(value)}`);
  const parts = [
    paint(DIM, timeOfDay(String(time))),
    paint(COLOURS[String(level)], String(level).toUpperCase().padEnd(5)),
    shownControls(String(msg ?? "")),
    paint(DIM, rest.join(" ")),
  ];
  return `${parts.filter((part) => part !== "").join(" ")}\n`;
}

function parsed(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** In the place where the server runs, to the millisecond. */
function timeOfDay(time: string): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return shownControls(time);
  const two = (part: number): string => String(part).padStart(2, "0");
  const milliseconds = String(at.getMilliseconds()).padStart(3, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${milliseconds}`;
}

function shownValue(value: unknown): string {
  if (typeof value === "string") return shownText(value);
  // Of an error its stack, which begins with its message.
  const stack = (value as { stack?: unknown } | null)?.stack;
  return typeof stack === "string" ? shownText(stack) : shownControls(JSON.stringify(value));
}

function shownText(text: string): string {
  const line = text.replaceAll(/\s*\n\s*/g, " | ");
  return WITHOUT_QUOTES.test(line) ? line : shownControls(JSON.stringify(line));
}

function shownControls(text: string): string {
  return text.replaceAll(UNSHOWN, (one) => `\\u${one.codePointAt(0)!.toString(16).padStart(4, "0")}`);
}
