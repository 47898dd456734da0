import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";

/** What to write instead of what is no JSON: most of it comes from printing Python's objects. */
const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/^-?(nan|NaN|NAN)\b/, "NaN is no JSON: send null where a missing value is meant"],
  [
    /^-?(inf|Infinity|Inf)\b/,
    "infinity is no JSON, and no model takes it: write a finite number, or leave the row out",
  ],
  [/^True\b/, "True is Python's: write true (json.dumps does)"],
  [/^False\b/, "False is Python's: write false (json.dumps does)"],
  [/^None\b/, "None is Python's: write null (json.dumps does)"],
  [/^undefined\b/, "undefined is no JSON: write null"],
  [/^'/, "texts stand in double quotes in JSON (json.dumps writes them so)"],
  [/^\/[/*]/, "JSON has no comments"],
  [/^\+\d/, "a number has no plus sign in JSON"],
  [/^-?\.\d/, "a number begins with a digit in JSON: 0.5, not .5"],
  [/^-?0\d/, "a number has no zeros in front in JSON"],
  [/^-?\d+\.(?!\d)/, "a digit follows the point in JSON: 1.0, not 1."],
  [/^[\]}]/, "a comma stands before it with nothing after, or a value is missing"],
];
const SHOWN_CHARACTERS = 20;

/** Says what stands in the text where something else was expected. */
export function strayToken(text: string, at: number, expected: string): string {
  if (text.trim() === "") return "nothing came; a JSON object is expected";
  if (at >= text.length) return `the text ends where ${expected} is expected`;
  const rest = text.slice(at, at + 40);
  const advice = ADVICE.find(([pattern]) => pattern.test(rest))?.[1];
  if (advice !== undefined) return advice;
  const shown = /^[\w.+-]+/.exec(rest)?.[0] ?? String.fromCodePoint(text.codePointAt(at)!);
  return `${JSON.stringify(shown.slice(0, SHOWN_CHARACTERS))} stands where ${expected} is expected`;
}

/** Says that a text is no JSON, or none that is taken, from the character `at` on. */
export function decodeError(at: number, what: string, rule: string): AssayError {
  const description = `JSON decode error at character ${at}: ${what}`;
  return new AssayError(Reason.INVALID_REQUEST, `body: ${description}`, {
    violations: [{ field: "", description, rule }],
  });
}
