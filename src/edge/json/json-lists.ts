/** Long lists of JSON that are read piece by piece, so that whoever decodes gives the event loop back in between. */
import { PackedContents } from "../../tensor/packed-contents.ts";
import type { ScalarReading } from "./json-scalar.ts";
import type { ExactJson } from "./json-text.ts";

/** Elements of a list that are read at once. */
export const PIECE_VALUES = 16_384;

/** Work that is left of a message. */
export interface LongList {
  /** Reads a piece; true once all is read. */
  step(): boolean;
}

/** What is told of elements that are none of their list's type. */
export interface ElementJudge {
  wrongElement(value: ExactJson, reading: ScalarReading, path: string, index: number): void;
}

/** Values of one type. */
export class LongValues implements LongList {
  private readonly list: readonly ExactJson[];
  private readonly target: unknown[];
  private readonly reading: ScalarReading;
  private readonly path: string;
  private readonly judge: ElementJudge;
  private at = 0;

  constructor(
    list: readonly ExactJson[],
    target: unknown[],
    reading: ScalarReading,
    path: string,
    judge: ElementJudge,
  ) {
    this.list = list;
    this.target = target;
    this.reading = reading;
    this.path = path;
    this.judge = judge;
  }

  step(): boolean {
    const { list, target, reading } = this;
    const end = Math.min(list.length, this.at + PIECE_VALUES);
    for (; this.at < end; this.at++) {
      const value = reading.read(list[this.at]!);
      if (value === undefined) this.judge.wrongElement(list[this.at]!, reading, this.path, this.at);
      else target.push(value);
    }
    return this.at === list.length;
  }
}

/** What reads an element of a tensor of texts as a text that a model can take; undefined where it is none. */
export type ReadText = (value: ExactJson) => string | undefined;

/** Texts that come as JSON says them and leave as strings: an array of octets for each would take the longest of all. */
export class LongTexts implements LongList {
  private readonly list: readonly ExactJson[];
  private readonly read: ReadText;
  private readonly take: (contents: PackedContents) => void;
  private readonly refuse: () => void;
  private readonly texts: string[] = [];

  /** `take` gets all of them; `refuse` is called instead where one is none, which whoever reads octets describes. */
  constructor(
    list: readonly ExactJson[],
    read: ReadText,
    take: (contents: PackedContents) => void,
    refuse: () => void,
  ) {
    this.list = list;
    this.read = read;
    this.take = take;
    this.refuse = refuse;
  }

  step(): boolean {
    const { list, texts } = this;
    const end = Math.min(list.length, texts.length + PIECE_VALUES);
    for (let at = texts.length; at < end; at++) {
      const text = this.read(list[at]!);
      if (text === undefined) {
        this.refuse();
        return true;
      }
      texts.push(text);
    }
    if (end < list.length) return false;
    this.take(new PackedContents("bytesContents", texts));
    return true;
  }
}

/** Elements of any kind, each read by a function. */
export class LongItems implements LongList {
  private readonly count: number;
  private readonly pieceItems: number;
  private readonly read: (index: number) => void;
  private at = 0;

  constructor(count: number, pieceItems: number, read: (index: number) => void) {
    this.count = count;
    this.pieceItems = pieceItems;
    this.read = read;
  }

  step(): boolean {
    const end = Math.min(this.count, this.at + this.pieceItems);
    while (this.at < end) this.read(this.at++);
    return this.at === this.count;
  }
}
