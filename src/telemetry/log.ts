import pino from "pino";

/** A structured logger; fields first, then the sentence. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Whether lines of this level are written: spares making their fields. */
  isLevelEnabled(level: string): boolean;
}

/** Makes a logger that writes JSON lines to standard error, synchronously, so that nothing is lost at the end. */
export function createLog(level: string): Log {
  const errorSerializer = pino.stdSerializers.errWithCause;
  return pino(
    { level, base: null, serializers: { err: errorSerializer } },
    pino.destination({ fd: 2, sync: true }),
  );
}

/** A logger that says nothing: for the command line's own checks. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, isLevelEnabled: () => false };
