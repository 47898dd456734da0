import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { FeaturePlan, PlannedColumn } from "../model/features/feature-plan.ts";
import { columnOfName, type RowColumns } from "../model/row-columns.ts";
import type { KeyTexts } from "./feature-store.ts";

/** What a row with these names lacks of each source; most rows of a request have the same names in the same order. */
export interface RowShape {
  readonly names: readonly string[];
  /** Names that are the model's own: keys that it does not know are taken out. */
  readonly kept: readonly string[];
  readonly sources: readonly SourceShape[];
}

/** One source's part of a shape. */
export interface SourceShape {
  /** The columns that have to be looked up, by their places in the plan. */
  readonly absent: readonly number[];
  /** Under which name the row has each key; undefined: it has not. */
  readonly keys: readonly (string | undefined)[];
}

/** Why a row has no key. */
export interface KeyFault {
  readonly field: string;
  readonly description: string;
  readonly rule: string;
}

const LONGEST_KEY = 1_024;

/** Tells shapes of rows; remembers the last one. */
export class RowShapes {
  private readonly plans: readonly FeaturePlan[];
  private readonly mapping: RowColumns;
  private last: RowShape | undefined = undefined;

  constructor(plans: readonly FeaturePlan[], mapping: RowColumns) {
    this.plans = plans;
    this.mapping = mapping;
  }

  of(row: JsonObject): RowShape {
    const names = Object.keys(row);
    const { last } = this;
    if (last !== undefined && isSame(names, last.names)) return last;
    this.last = this.make(names);
    return this.last;
  }

  private make(names: readonly string[]): RowShape {
    const { mapping, plans } = this;
    const byColumn = new Map<string, string>();
    const own = new Set<string>();
    for (const name of names) {
      const column = columnOfName(name, mapping);
      if (column === undefined) continue;
      own.add(name);
      byColumn.set(column.name, name);
    }
    const came = new Set(names);
    const keyNames = new Set(plans.flatMap(({ keys }) => keys));
    return {
      names,
      kept: names.filter((name) => own.has(name) || !keyNames.has(name)),
      sources: plans.map(({ keys, columns }) => ({
        absent: absentOf(columns, byColumn),
        keys: keys.map((key) => (came.has(key) ? key : byColumn.get(columnOfName(key, mapping)?.name ?? ""))),
      })),
    };
  }
}

/** The texts of a row's key: text as it is, whole numbers by their digits. */
export function keyTexts(
  row: JsonObject,
  shape: SourceShape,
  { name: source, keys, columns }: FeaturePlan,
): KeyTexts | KeyFault {
  const texts: string[] = [];
  for (let at = 0; at < keys.length; at++) {
    const name = shape.keys[at];
    const field = name ?? keys[at]!;
    const value = name === undefined ? undefined : row[name];
    if (value === undefined || value === null) {
      const lacking = listedColumns(shape.absent.map((index) => columns[index]!));
      const what = value === null ? "null came" : "it is missing";
      const description = `${what}; it is the key under which feature source ${JSON.stringify(source)} has ${lacking}: send it, or the columns themselves`;
      return { field, description, rule: "features.missing_key" };
    }
    const text = keyText(value);
    if (text === undefined) {
      const description = `${kindOf(value)} came; a key is a whole number or text of 1 to ${LONGEST_KEY} characters`;
      return { field, description, rule: "features.key" };
    }
    texts.push(text);
  }
  return texts;
}

/** Names of columns in a message, as many as one reads. */
export function listedColumns(columns: readonly Pick<PlannedColumn, "name">[]): string {
  const shown = columns.slice(0, 5).map(({ name }) => name);
  const more = columns.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function keyText(value: JsonValue): string | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : undefined;
  if (typeof value !== "string" || value === "" || value.length > LONGEST_KEY) return undefined;
  return value.isWellFormed() ? value : undefined;
}

function kindOf(value: JsonValue): string {
  if (typeof value === "number") return "a number that is not whole, or is beyond 2^53";
  if (typeof value === "string") return value === "" ? "empty text" : "text that is too long or no Unicode";
  return typeof value === "boolean" ? "a boolean" : "a list or an object";
}

function absentOf(columns: readonly PlannedColumn[], came: ReadonlyMap<string, string>): number[] {
  return columns.flatMap(({ name }, index) => (came.has(name) ? [] : [index]));
}

function isSame(names: readonly string[], others: readonly string[]): boolean {
  if (names.length !== others.length) return false;
  for (let i = 0; i < names.length; i++) if (names[i] !== others[i]) return false;
  return true;
}
