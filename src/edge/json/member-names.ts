import { didYouMean, nearestName } from "../../wording/nearest-name.ts";

const SHOWN_CHARACTERS = 60;

/** Advice on what to write instead of a member that the schema does not have: the nearest name, or all that there are. */
export function unknownMember(name: string, known: readonly string[], where: string): string {
  const cut = name.length > SHOWN_CHARACTERS;
  const shown = `${JSON.stringify(name.slice(0, SHOWN_CHARACTERS))}${cut ? "…" : ""}`;
  if (name === "data" && known.includes("contents")) return `${where} has no member "data"${VALUES}`;
  const hint = didYouMean(name, known) || hintByPart(name, known) || `; it has ${known.join(", ")}`;
  return `${where} has no member ${shown}${hint}`;
}

/** Tells whether a name is close to one that there is. */
export function isMisspelt(name: string, known: readonly string[]): boolean {
  return nearestName(name, known) !== undefined || hintByPart(name, known) !== "";
}

/** Open Inference JSON's `data`, which `/predict` takes, where protobuf's JSON has other members. */
const VALUES =
  '; values stand in "contents", such as {"fp32_contents": [numbers]}, or as base64 in "raw_contents"; /predict takes "data"';

/** What other suites call a member. */
const SYNONYMS: Readonly<Record<string, string>> = {
  dtype: "datatype",
  id: "request_id",
  instances: "rows",
  type: "datatype",
  values: "contents",
};

/** `outputs` for `output_names`, `version` for `model_version`: words that stand in a name. */
function hintByPart(name: string, known: readonly string[]): string {
  const synonym = Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name] : undefined;
  if (synonym !== undefined && known.includes(synonym)) return `; did you mean ${JSON.stringify(synonym)}?`;
  const word = name.slice(0, SHOWN_CHARACTERS).toLowerCase().replace(/s$/, "");
  if (word.length < 4) return "";
  const found = known.find((other) => other.startsWith(word)) ?? known.find((other) => other.includes(word));
  return found === undefined ? "" : `; did you mean ${JSON.stringify(found)}?`;
}
