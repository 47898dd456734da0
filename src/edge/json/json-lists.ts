/** Long lists of JSON that are read piece by piece, so that whoever decodes gives the event loop back in between. */
import { PackedContents } from "../../tensor/packed-contents.ts";
import { WrongTexts } from "../../tensor/wrong-texts.ts";
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

/** Ways to read an element of a tensor of texts. */
export interface TextReadings {
  /** As a text that a model can take; undefined where it is none. */
  readonly text: (value: ExactJson) => string | undefined;
  /** As whatever octets it says. */
  readonly octets: ScalarReading;
}

/** Texts that come as JSON says them and leave as strings: an array of octets for each would take the longest of all. */
export class LongTexts implements LongList {
  private readonly list: readonly ExactJson[];
  private readonly readings: TextReadings;
  private readonly path: string;
  private readonly judge: ElementJudge;
  private readonly shape: () => readonly bigint[];
  private readonly take: (contents: PackedContents) => void;
  private readonly texts: string[] = [];
  private wrong: WrongTexts | undefined = undefined;

  /** `take` gets all of them; what says no octets at all is told the judge. `shape`: the tensor's, asked for once its message is there. */
  constructor(
    list: readonly ExactJson[],
    readings: TextReadings,
    path: string,
    judge: ElementJudge,
    shape: () => readonly bigint[],
    take: (contents: PackedContents) => void,
  ) {
    this.list = list;
    this.readings = readings;
    this.path = path;
    this.judge = judge;
    this.shape = shape;
    this.take = take;
  }

  step(): boolean {
    const { list, texts, readings } = this;
    const end = Math.min(list.length, texts.length + PIECE_VALUES);
    for (let at = texts.length; at < end; at++) {
      const text = readings.text(list[at]!);
      if (text === undefined) this.addWrong(list[at]!, at);
      texts.push(text ?? "");
    }
    if (end < list.length) return false;
    this.take(new PackedContents("bytesContents", texts, this.wrong));
    return true;
  }

  private addWrong(value: ExactJson, index: number): void {
    const { octets } = this.readings;
    const came = octets.read(value);
    if (came === undefined) {
      this.judge.wrongElement(value, octets, this.path, index);
      return;
    }
    this.wrong ??= new WrongTexts(this.shape());
    this.wrong.add(index, came as Uint8Array);
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
