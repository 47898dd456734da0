import { counted } from "../../wording/counted.ts";
import type { ElementMatch } from "./element-match.ts";
import type { InputElements } from "./model-elements.ts";

const LISTED = 20;

/** Tells the user what was mapped: how many by their own names, and each that was found another way. */
export function mappingLines(
  inputs: readonly InputElements[],
  matches: ReadonlyMap<string, ElementMatch>,
): string[] {
  const lines: string[] = [];
  const pairs: string[] = [];
  let named = 0;
  let features = 0;
  let positioned = 0;
  for (const { elements } of inputs) {
    for (const { key, name, identifier } of elements) {
      const match = matches.get(key);
      if (match === undefined) continue;
      if (match.by === "name") {
        if (identifier) named++;
        else features++;
        continue;
      }
      if (match.by === "position") positioned++;
      const why = { map: "--map", spelling: "other spelling", position: "by position" }[match.by];
      pairs.push(`${name} ← ${match.column} (${why})`);
    }
  }
  if (named > 0) lines.push(`${counted(named, "column")} by name`);
  if (features > 0) lines.push(`${counted(features, "column")} by feature name`);
  if (positioned > 0) lines.push(`${counted(positioned, "column")} by position`);
  lines.push(...pairs.slice(0, LISTED));
  if (pairs.length > LISTED) lines.push(`and ${pairs.length - LISTED} more`);
  lines.push(...crossedNames(inputs, matches));
  const left = inputs.filter(
    ({ optional, elements }) =>
      optional && !(elements.length > 0 && elements.every(({ key }) => matches.has(key))),
  );
  for (const { name } of left) lines.push(`${name} left out (optional; the model's own value is used)`);
  return lines;
}

/** By position, a column may feed one input although it has the name of another: most likely a mistake. */
function crossedNames(
  inputs: readonly InputElements[],
  matches: ReadonlyMap<string, ElementMatch>,
): string[] {
  const elements = inputs.flatMap((input) => input.elements);
  const known = new Set(elements.map(({ name }) => name));
  const crossed = elements.filter(({ key, name }) => {
    const match = matches.get(key);
    return match?.by === "position" && match.column !== name && known.has(match.column);
  });
  return crossed.length === 0
    ? []
    : [
        `${counted(crossed.length, "column")} by position ${crossed.length === 1 ? "has" : "have"} the name of another input: is --by-position meant?`,
      ];
}
