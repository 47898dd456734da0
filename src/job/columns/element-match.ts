import { exporterSpelling } from "../../model/column-names.ts";
import type { TableColumn } from "../../table/table-source.ts";
import { counted } from "../../wording/counted.ts";
import { listItem } from "../../wording/list-items.ts";
import { didYouMean, nearestName } from "../../wording/nearest-name.ts";
import { quotedList } from "../../wording/quoted-list.ts";
import { columnKind } from "./column-kind.ts";
import type { Element, InputElements, MappingOptions } from "./model-elements.ts";
import type { TableProblems } from "./table-problems.ts";

/** The column that feeds one value, and how it was found. */
export interface ElementMatch {
  readonly column: string;
  readonly by: "map" | "name" | "spelling" | "position";
}

/** Finds each value's column: by `maps`, then by position or by name. By `Element.key`. */
export function matchElements(
  inputs: readonly InputElements[],
  columns: readonly TableColumn[],
  options: MappingOptions,
  problems: TableProblems,
): Map<string, ElementMatch> {
  const names = columns.map(({ name }) => name);
  const matches = matchMaps(inputs, names, options, problems);
  const { listed = [] } = options;
  if (listed.length > 0) matchListed(inputs, names, listed, matches, problems);
  else if (options.byPosition) matchPositions(inputs, names, options, matches, problems);
  else matchNames(inputs, names, matches, problems);
  return matches;
}

function matchMaps(
  inputs: readonly InputElements[],
  names: readonly string[],
  options: MappingOptions,
  problems: TableProblems,
): Map<string, ElementMatch> {
  const matches = new Map<string, ElementMatch>();
  const elements = inputs.flatMap((input) => input.elements);
  for (const [name, column] of options.maps) {
    const flag = `--map ${JSON.stringify(`${name}=${column}`)}`;
    const meant = elements.filter((element) => element.name === name);
    if (meant.length === 0) {
      const vector = inputs.find((input) => input.name === name);
      const known = elements.map((element) => element.name);
      const hint =
        vector !== undefined && vector.elements.length > 1
          ? `; it is a vector, map its values: ${quotedList(vector.elements.map((element) => element.name))}`
          : didYouMean(name, known) || `; it has ${quotedList(known)}`;
      problems.add(`${flag}: the model has no input of one value, and no feature, of that name${hint}`);
    }
    if (!names.includes(column)) {
      problems.add(`${flag}: the table has no column ${JSON.stringify(column)}${didYouMean(column, names)}`);
    }
    for (const { key } of meant) matches.set(key, { column, by: "map" });
  }
  return matches;
}

function matchNames(
  inputs: readonly InputElements[],
  names: readonly string[],
  matches: Map<string, ElementMatch>,
  problems: TableProblems,
): void {
  const known = new Set(names);
  const exact = new Set(inputs.flatMap(({ elements }) => elements.map(({ name }) => name)));
  const missingOf = new Map<InputElements, Element[]>();
  for (const input of inputs) {
    const missing: Element[] = [];
    missingOf.set(input, missing);
    for (const element of input.elements) {
      if (matches.has(element.key)) continue;
      const found = candidates(element, known, exact);
      if (found.length > 1) {
        problems.add(
          `columns ${quotedList(found)} all spell ${JSON.stringify(element.name)}; say which with --map ${JSON.stringify(listItem(`${element.name}=${found[0]}`))}`,
        );
        // Not missing as well.
        matches.set(element.key, { column: found[0]!, by: "name" });
      } else if (found.length === 1) {
        matches.set(element.key, { column: found[0]!, by: found[0] === element.name ? "name" : "spelling" });
      } else missing.push(element);
    }
  }
  // A column that feeds another value is no hint.
  const used = new Set([...matches.values()].map(({ column }) => column));
  const free = names.filter((name) => !used.has(name));
  for (const [input, missing] of missingOf) {
    if (missing.length === 0 || (input.optional && missing.length === input.elements.length)) continue;
    if (missing.some(({ spellings }) => spellings === undefined)) addUnnamed(input, names, problems);
    else for (const element of missing) addMissing(element, input, free, problems);
  }
}

/** Every name of a column that spells the value's name; one whose name is exactly another value's belongs to that. */
function candidates(element: Element, known: ReadonlySet<string>, exact: ReadonlySet<string>): string[] {
  const { spellings, name } = element;
  if (spellings === undefined) return [];
  if (!element.identifier) return spellings.filter((spelling) => known.has(spelling));
  const identifier = exporterSpelling(name);
  return [...known].filter(
    (column) =>
      column === name ||
      ((spellings.includes(column) || exporterSpelling(column) === identifier) && !exact.has(column)),
  );
}

function addMissing(
  element: Element,
  input: InputElements,
  free: readonly string[],
  problems: TableProblems,
): void {
  const nearest = nearestName(element.name, free);
  const hint =
    nearest === undefined
      ? ""
      : `; if ${JSON.stringify(nearest)} is it: --map ${JSON.stringify(listItem(`${element.name}=${nearest}`))}`;
  const what =
    element.name === input.name
      ? `input ${JSON.stringify(input.name)} (${input.described})`
      : `feature ${JSON.stringify(element.name)} of input ${JSON.stringify(input.name)}`;
  problems.add(`${what} has no column in the table${hint}`);
}

function addUnnamed(input: InputElements, names: readonly string[], problems: TableProblems): void {
  const count = input.elements.length;
  problems.add(
    `input ${JSON.stringify(input.name)} (${input.described}) takes ${counted(count, "column")}, and the model does not name them: ` +
      "name them (feature_names in the model's config.json), or list the table's in the model's order (--columns), or take all of " +
      "them as they stand (--by-position), or map each " +
      `(--map ${JSON.stringify(listItem(`${input.elements[0]!.name}=${names[0] ?? "column"}`))} …)`,
  );
}

function matchListed(
  inputs: readonly InputElements[],
  names: readonly string[],
  listed: readonly string[],
  matches: Map<string, ElementMatch>,
  problems: TableProblems,
): void {
  for (const [index, name] of listed.entries()) {
    const flag = `--columns ${JSON.stringify(name)}`;
    if (!names.includes(name))
      problems.add(
        `${flag}: the table has no such column${didYouMean(name, names) || `; it has ${quotedList(names)}`}`,
      );
    else if (listed.indexOf(name) !== index) problems.add(`${flag}: the column is named twice`);
  }
  const all = inputs.flatMap(({ elements }) => elements);
  const required = inputs.filter(({ optional }) => !optional).flatMap(({ elements }) => elements);
  const filled = listed.length === all.length ? all : required;
  if (listed.length !== filled.length)
    problems.add(
      `--columns: ${counted(listed.length, "column")} came, and the model takes ${takenColumns(required, all)}`,
    );
  else
    for (const [index, { key }] of filled.entries())
      matches.set(key, { column: listed[index]!, by: "position" });
}

function takenColumns(required: readonly Element[], all: readonly Element[]): string {
  return all.length === required.length
    ? counted(all.length, "column")
    : `${counted(required.length, "column")}, or ${all.length} with the optional ones`;
}

function matchPositions(
  inputs: readonly InputElements[],
  names: readonly string[],
  options: MappingOptions,
  matches: Map<string, ElementMatch>,
  problems: TableProblems,
): void {
  const taken = new Set([...options.keep, ...options.maps.values()]);
  const free = names.filter((name) => !taken.has(name));
  const open = (some: readonly InputElements[]) =>
    some.flatMap(({ elements }) => elements.filter(({ key }) => !matches.has(key)));
  const all = open(inputs);
  const required = open(inputs.filter(({ optional }) => !optional));
  const filled = free.length === all.length ? all : required;
  if (free.length !== filled.length) {
    problems.add(
      `--by-position: the model takes ${takenColumns(required, all)}, and the table has ${free.length} beside those kept or mapped (${quotedList(free)}); ` +
        "pass others through with --keep, or read only the model's with sql:",
    );
    return;
  }
  for (const [index, { key }] of filled.entries()) matches.set(key, { column: free[index]!, by: "position" });
}

/** The columns to pass through, without those that are missing, nested or named twice: each of them is a problem. */
export function checkKept(
  keep: readonly string[],
  columns: readonly TableColumn[],
  problems: TableProblems,
): string[] {
  const kept: string[] = [];
  for (const name of keep) {
    const column = columns.find((candidate) => candidate.name === name);
    const flag = `--keep ${JSON.stringify(name)}`;
    if (column === undefined) {
      const names = columns.map((candidate) => candidate.name);
      const hint = didYouMean(name, names) || `; it has ${quotedList(names)}`;
      problems.add(`${flag}: the table has no such column${hint}`);
    } else if (columnKind(column.type) === "nested") {
      problems.add(
        `${flag}: the column is ${column.type}, and nested columns are not passed through; take a field of it with sql:`,
      );
    } else if (kept.includes(name)) problems.add(`${flag}: the column is named twice`);
    else kept.push(name);
  }
  return kept;
}
