/** The pieces that long bodies are made of. */
import { CENSUS_ROW } from "./decode-case.ts";
import { MANY_INPUTS } from "./fuzz-models.ts";

/** A body, made when it is asked for: all of them together are gigabytes. */
export interface ForeignBodyCase {
  readonly name: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  make(): string | Buffer;
}

/** Just within the largest message. */
export const FULL = 16 * 1_048_576 - 400;
/** The most rows of a request. */
export const ROWS = 65_536;
/** As many as a queue takes. */
export const QUEUE = 8192;

/** `item` again and again, with commas between, as long as `octets`, or `count` times. */
export function listOf(item: string, count = Math.floor(FULL / (item.length + 1))): string {
  return `${item},`.repeat(count - 1) + item;
}

/** An item for each index, with commas between. */
export function each(count: number, item: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => item(index)).join();
}

/** An object of members. */
export const object = (members: string) => `{${members}}`;
/** A list of items. */
export const list = (items: string) => `[${items}]`;
/** The columns that the example model takes. */
export const PERSON = (({ fnlwgt, education, race, "native-country": country, ...rest }) => rest)(CENSUS_ROW);
/** A row as an object. */
export const CENSUS = JSON.stringify(PERSON);
/** The names of its columns. */
export const NAMES = Object.keys(PERSON);
/** Its values as a list. */
export const VALUES = JSON.stringify(Object.values(PERSON));
/** A row of 500 columns. */
export const WIDE_ROW = object(each(500, (i) => `"measured_value_${i}":1`));
/** Their names. */
export const WIDE_NAMES = each(500, (i) => `"measured_value_${i}"`);
/** A row of many inputs. */
export const MANY_ROW = object(each(MANY_INPUTS, (i) => `"in${i}":[1,2]`));
/** A text that is nearly all of a message. */
export const LONG_TEXT = "a".repeat(FULL - 200);
/** A number in as many lists as are taken. */
export const DEEP = `${"[".repeat(90)}1${"]".repeat(90)}`;
