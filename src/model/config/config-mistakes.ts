import { refusal } from "../refusal.ts";

/** A field of config.json or config.pbtxt: names, and indexes of lists. */
export type ConfigPath = readonly (string | number)[];

/** Collects where a configuration contradicts itself or the graph, so that all is told at once. */
export interface ConfigMistakes {
  add(path: ConfigPath, message: string): void;
  /** Throws MODEL_INVALID with every mistake, each with its line and field. */
  throwIfAny(): void;
}

/** Makes an empty collection; `lineOf` tells the line of a field, undefined where there is no text. */
export function createConfigMistakes(
  lineOf: (path: ConfigPath) => number | undefined,
  fileName = "config.json",
): ConfigMistakes {
  const mistakes: string[] = [];
  return {
    add(path, message) {
      const line = lineOf(path);
      mistakes.push(`${line === undefined ? "" : `line ${line}: `}${pathText(path)}: ${message}`);
    },
    throwIfAny() {
      if (mistakes.length > 0) throw refusal(`${fileName}: ${mistakes.join("; ")}`);
    },
  };
}

/** A path as messages show it: `inputs[0].feature_names`. */
export function pathText(path: ConfigPath): string {
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? part : `${text}.${part}`),
    "",
  );
}
