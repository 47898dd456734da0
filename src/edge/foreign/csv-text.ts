/** CSV (RFC 4180) as pandas writes it: commas, double quotes, a line end in quotes; read record by record. */
import { limitHit } from "../../limits.ts";
import { MAX_STRUCT_FIELDS } from "../../wire/wire-table.ts";

/** One record. */
export interface CsvRecord {
  /** The line on which it begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  /** What is no CSV in it; undefined where it is whole. */
  readonly fault: string | undefined;
}

const BOM = "\ufeff";
const QUOTE = '"';
/** No text that a model takes is as long. */
const MOST_CHARACTERS = 1_048_576;
/** Blank lines that are passed over at once. */
const PIECE_LINES = 65_536;

/** Reads the records of one text. */
export class CsvText {
  /** Where the next record begins. */
  at: number;
  private readonly text: string;
  private line = 1;

  constructor(text: string) {
    this.text = text;
    this.at = text.startsWith(BOM) ? 1 : 0;
  }

  /** The next record that is no blank line, or one without cells after very many of these; undefined at the end. */
  next(): CsvRecord | undefined {
    const isOver = this.skipBlankLines();
    if (this.at >= this.text.length) return undefined;
    const { line } = this;
    if (!isOver) return { line, cells: [], fault: undefined };
    const cells: string[] = [];
    for (;;) {
      if (this.text[this.at] === QUOTE) {
        const cell = this.quoted();
        if (cell === undefined) return { line, cells, fault: this.openQuote() };
        cells.push(cell + this.plain());
      } else cells.push(this.plain());
      if (this.text[this.at] !== ",") break;
      if (cells.length === MAX_STRUCT_FIELDS) {
        return { line, cells, fault: `the line has more than ${MAX_STRUCT_FIELDS} columns` };
      }
      this.at++;
    }
    this.endLine();
    return { line, cells, fault: undefined };
  }

  /** Whether no blank line is left. */
  private skipBlankLines(): boolean {
    for (let left = PIECE_LINES; left > 0; left--) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 10 && code !== 13) return true;
      this.endLine();
    }
    return false;
  }

  private openQuote(): string {
    if (this.at >= this.text.length) return "a text in quotes does not end";
    limitHit("text-characters");
    return `a text in quotes has more than ${MOST_CHARACTERS} characters`;
  }

  private endLine(): void {
    if (this.at >= this.text.length) return;
    const isPair = this.text[this.at] === "\r" && this.text[this.at + 1] === "\n";
    this.at += isPair ? 2 : 1;
    this.line++;
  }

  /** Up to the next comma or the end of the line. */
  private plain(): string {
    const { text } = this;
    const from = this.at;
    let at = from;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 44 || code === 10 || code === 13) break;
    }
    this.at = at;
    return text.slice(from, at);
  }

  /** A cell in quotes, in which a quote is doubled; undefined where it does not end, or is too long. */
  private quoted(): string | undefined {
    const { text } = this;
    const from = this.at + 1;
    let hasDoubled = false;
    for (let at = from; ; ) {
      const quote = text.indexOf(QUOTE, at);
      if (quote < 0 || quote - from > MOST_CHARACTERS) {
        if (quote < 0) this.at = text.length;
        return undefined;
      }
      if (text[quote + 1] === QUOTE) {
        hasDoubled = true;
        at = quote + 2;
        continue;
      }
      this.at = quote + 1;
      const cell = text.slice(from, quote);
      this.countLines(cell);
      return hasDoubled ? cell.replaceAll('""', QUOTE) : cell;
    }
  }

  private countLines(cell: string): void {
    for (let at = cell.indexOf("\n"); at >= 0; at = cell.indexOf("\n", at + 1)) this.line++;
  }
}
