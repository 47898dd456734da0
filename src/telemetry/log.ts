import { isatty } from "node:tty";
import pino from "pino";
import { counted } from "../wording/counted.ts";
import { LineOutput } from "./line-output.ts";
import { maskedCause, maskedText } from "./masked-text.ts";
import { terminalLine } from "./terminal-line.ts";

/** A structured logger; fields first, then the sentence. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Whether lines of this level are written: spares making their fields. */
  isLevelEnabled(level: string): boolean;
}

/** The end of the process waits no longer for whoever reads the log. */
const LAST_LINES_MS = 250;

/** Level names and ISO times, in every line. */
const FORM = {
  serializers: { err: shownError },
  formatters: { level: (name: string) => ({ level: name }) },
  timestamp: pino.stdTimeFunctions.isoTime,
};

/** What was thrown may quote what a caller sent: its values are masked. */
function shownError(thrown: unknown): object {
  const type = thrown instanceof Error ? thrown.name : typeof thrown;
  const message = maskedText(thrown instanceof Error ? thrown.message : String(thrown));
  return { type, message, stack: maskedCause(thrown) };
}

let output: Pick<LineOutput, "write"> | undefined;

/**
 * Makes a logger that writes to standard error at once, so that what is said last is not lost: JSON lines, with the level's name and an
 * ISO time; at a terminal, lines for people. A line that cannot be written is dropped and counted ("3 log lines were dropped"); logging
 * never ends, holds or grows the process.
 */
export function createLog(level: string): Log {
  return pino({ ...FORM, level, base: null }, standardError());
}

/** Makes a logger whose lines go to whoever writes them, each with the fields of `base`. */
export function createForwardedLog(level: string, base: object, write: (line: string) => void): Log {
  return pino({ ...FORM, level, base }, { write });
}

/** Writes a line of a forwarded log where the others go. */
export function writeLogLine(line: string): void {
  standardError().write(line);
}

function standardError(): Pick<LineOutput, "write"> {
  if (output !== undefined) return output;
  const shown = isatty(2) ? lineForPeople : asItIs;
  const opened = new LineOutput(2, { tellDropped: (dropped, cause) => shown(tellDropped(dropped, cause)) });
  process.once("exit", () => opened.flush(LAST_LINES_MS));
  output = { write: (line) => opened.write(shown(line)) };
  return output;
}

function asItIs(line: string): string {
  return line;
}

/** Colour as Node finds it fit: TERM, NO_COLOR and FORCE_COLOR say. */
function lineForPeople(line: string): string {
  return terminalLine(line, process.stderr.hasColors?.() === true);
}

/** A line as the log writes it, for what must be told without one. */
export function jsonLine(level: string, fields: object, msg: string): string {
  return `${JSON.stringify({ level, time: new Date().toISOString(), ...fields, msg })}\n`;
}

function tellDropped(dropped: number, cause: string): string {
  const msg = `${counted(dropped, "log line")} ${dropped === 1 ? "was" : "were"} dropped: standard error took no more (${cause})`;
  return jsonLine("warn", { dropped, cause }, msg);
}
