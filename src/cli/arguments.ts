import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { didYouMean } from "../wording/nearest-name.ts";

/** Flags that a command accepts: names without dashes, and whether each takes a value. */
export type FlagKinds = ReadonlyMap<string, "value" | "switch">;

/** What a command accepts of the command line. */
export interface KnownFlags {
  readonly kinds: FlagKinds;
  /** Letters that stand for a name. */
  readonly shorts: ReadonlyMap<string, string>;
}

/** The flags of a command's settings, of which those without a placeholder are switches; and further ones that take a value. */
export function knownFlags(
  rows: readonly { readonly name: string; readonly placeholder: string; readonly short: string }[],
  more: readonly string[] = [],
): KnownFlags {
  const kinds = new Map(
    rows.map(({ name, placeholder }) => [name, placeholder === "" ? "switch" : "value"] as const),
  );
  for (const name of more) kinds.set(name, "value");
  return { kinds, shorts: new Map(rows.map(({ short, name }) => [short, name])) };
}

/** Arguments taken apart, with every problem in words. */
export interface ParsedArguments {
  readonly flags: ReadonlyMap<string, string>;
  /** Every value of a flag that came, in order; `flags` has the last one. */
  readonly all: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
  readonly problems: readonly string[];
}

/** Reads `--name value`, `--name=value`, `-n value`, `-nvalue`, `--switch`, `--no-switch` and positionals; `--` ends the flags. */
export function parseArguments(argv: readonly string[], { kinds, shorts }: KnownFlags): ParsedArguments {
  const flags = new Map<string, string>();
  const all = new Map<string, string[]>();
  const positionals: string[] = [];
  const problems: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = spelledOut(argv[i]!, shorts);
    if (argument === "--") {
      positionals.push(...argv.slice(i + 1));
      break;
    }
    if (!argument.startsWith("--")) {
      if (argument.startsWith("-") && argument.length > 1)
        problems.push(`${argument} is not known; flags start with --${shortList(shorts)}`);
      else if (isSwitchValue(argument, argv[i - 1], kinds)) {
        problems.push(`${argument} came after ${argv[i - 1]}, which is a switch and takes no value`);
      } else positionals.push(argument);
      continue;
    }
    const [name, attached] = splitOnce(argument.slice(2));
    const negated =
      name.startsWith("no-") && kinds.get(name.slice(3)) === "switch" ? name.slice(3) : undefined;
    const kind = kinds.get(negated ?? name);
    if (kind === undefined) {
      const hint = didYouMean(name, kinds.keys()).replace(/"([^"]+)"/, "--$1");
      problems.push(`--${name} is not known${hint}`);
      // What follows is most likely its value, and no problem of its own.
      if (attached === undefined && argv[i + 1]?.startsWith("-") === false) i++;
    } else if (kind === "switch") {
      flags.set(negated ?? name, negated === undefined ? (attached ?? "true") : "false");
    } else {
      const value = attached ?? argv[i + 1];
      if (value === undefined || (attached === undefined && value.startsWith("--"))) {
        problems.push(`--${name} needs a value`);
        continue;
      }
      if (attached === undefined) i++;
      flags.set(name, value);
      all.set(name, [...(all.get(name) ?? []), value]);
    }
  }
  return { flags, all, positionals, problems };
}

/** A flag of one letter as its name, and a value that stands behind the letter; any other word as it is. */
function spelledOut(word: string, shorts: ReadonlyMap<string, string>): string {
  const name = /^-[a-zA-Z]/.test(word) ? shorts.get(word[1]!) : undefined;
  if (name === undefined) return word;
  return word.length === 2 ? `--${name}` : `--${name}=${word.slice(2).replace(/^=/, "")}`;
}

function shortList(shorts: ReadonlyMap<string, string>): string {
  const letters = [...shorts.keys()].filter((letter) => letter !== "").map((letter) => `-${letter}`);
  return letters.length === 0 ? "" : `, but for ${letters.join(", ")}`;
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf("=");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** CONFIG_INVALID with every problem of a command's arguments, and where its help is. */
export function wrongArguments(problems: readonly string[], command: string): AssayError {
  return new AssayError(Reason.CONFIG_INVALID, [...problems, `see assay ${command} --help`].join("\n"));
}

/** Whether a word stands where the value of a switch would: `--strict-readiness true`. */
function isSwitchValue(word: string, before: string | undefined, kinds: FlagKinds): boolean {
  if (!/^(true|false|yes|no|on|off|0|1)$/i.test(word) || before === undefined) return false;
  const name = before.replace(/^--(no-)?/, "");
  return before.startsWith("--") && kinds.get(name) === "switch";
}
