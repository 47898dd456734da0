import pino from "pino";
import { counted } from "../wording/counted.ts";
import { LineOutput } from "./line-output.ts";

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

let output: LineOutput | undefined;

/**
 * Makes a logger that writes JSON lines to standard error at once, so that what is said last is not lost. A line that cannot be
 * written is dropped and counted ("3 log lines were dropped"); logging never ends, holds or grows the process.
 */
export function createLog(level: string): Log {
  const err = pino.stdSerializers.errWithCause;
  return pino({ level, base: null, serializers: { err } }, standardError());
}

/** Makes a logger whose lines go to whoever writes them, each with the fields of `base`. */
export function createForwardedLog(level: string, base: object, write: (line: string) => void): Log {
  const err = pino.stdSerializers.errWithCause;
  return pino({ level, base, serializers: { err } }, { write });
}

/** Writes a line of a forwarded log where the others go. */
export function writeLogLine(line: string): void {
  standardError().write(line);
}

function standardError(): LineOutput {
  if (output !== undefined) return output;
  const opened = new LineOutput(2, { tellDropped });
  process.once("exit", () => opened.flush(LAST_LINES_MS));
  output = opened;
  return opened;
}

function tellDropped(dropped: number, cause: string): string {
  const msg = `${counted(dropped, "log line")} ${dropped === 1 ? "was" : "were"} dropped: standard error took no more (${cause})`;
  return `${JSON.stringify({ level: 40, time: Date.now(), dropped, cause, msg })}\n`;
}
