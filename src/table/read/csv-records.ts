const LF = 10;
const CR = 13;
const SPACE = 32;

/** Counts of what a scanner has seen. */
export interface CsvScan {
  /** Records that ended, blank lines among them. */
  readonly records: number;
  /** Line ends, those inside quotes among them. */
  readonly lines: number;
  /** Bytes up to the end of the last whole record. */
  readonly recordsEnd: number;
}

/** Follows CSV through its bytes, so that a line end inside quotes is not taken for the end of a record. */
export interface CsvScanner {
  readonly seen: CsvScan;
  /** Goes on with the next bytes; stops after the record with this number, where one is given. */
  scan(bytes: Uint8Array, untilRecord?: number): void;
}

/** `delimiter` and `quote` are ASCII; an empty quote means that nothing is quoted. */
export function createCsvScanner(delimiter: string, quote: string): CsvScanner {
  const delimiterByte = delimiter.charCodeAt(0);
  const quoteByte = quote === "" ? -1 : quote.charCodeAt(0);
  const isFieldStart = (byte: number | undefined) => byte === LF || byte === CR || byte === delimiterByte;
  const seen = { records: 0, lines: 0, recordsEnd: 0 };
  let position = 0;
  let fieldStart = true;
  let quoted = false;
  let afterReturn = false;
  // A quote right after a closing one is a doubled quote: it opens again.
  let afterClosing = false;

  return {
    seen,
    scan(bytes, untilRecord = Number.POSITIVE_INFINITY) {
      if (untilRecord === Number.POSITIVE_INFINITY && !quoted && !bytes.includes(quoteByte)) {
        const last = bytes.lastIndexOf(LF);
        if (last >= 0) {
          const lines = countLines(bytes) - (afterReturn && bytes[0] === LF ? 1 : 0);
          seen.records += lines;
          seen.lines += lines;
          seen.recordsEnd = position + last + 1;
          position += bytes.length;
          afterReturn = bytes.at(-1) === CR;
          afterClosing = false;
          let end = bytes.length - 1;
          while (bytes[end] === SPACE) end--;
          fieldStart = isFieldStart(bytes[end]);
          return;
        }
      }
      for (let index = 0; index < bytes.length; index++) {
        const byte = bytes[index]!;
        position++;
        if (byte === LF && afterReturn) {
          // The second half of a line end that was counted.
          afterReturn = false;
          if (!quoted) seen.recordsEnd = position;
          continue;
        }
        if (seen.records >= untilRecord) return;
        afterReturn = byte === CR;
        if (byte === LF || byte === CR) {
          seen.lines++;
          if (quoted) continue;
          seen.records++;
          seen.recordsEnd = position;
          fieldStart = true;
        } else if (quoted) {
          quoted = byte !== quoteByte;
          afterClosing = !quoted;
          continue;
        } else if (byte === quoteByte && (fieldStart || afterClosing)) {
          quoted = true;
          fieldStart = false;
        } else if (byte === delimiterByte) {
          fieldStart = true;
        } else if (byte !== SPACE) {
          fieldStart = false;
        }
        afterClosing = false;
      }
    },
  };
}

/** Line feeds; the engine's own search is many times faster than a loop over the bytes. */
export function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) lines++;
  return lines;
}
