import { refusal } from "../refusal.ts";

/** A field of config.json: names, and indexes of lists. */
export type ConfigPath = readonly (string | number)[];

/** Collects where config.json contradicts the graph, so that all is told at once. */
export interface ConfigMistakes {
  add(path: ConfigPath, message: string): void;
  /** Throws MODEL_INVALID with every mistake, each with its line and field. */
  throwIfAny(): void;
}

/** Makes an empty collection; `lineOf` tells the line of a field, undefined where there is no text. */
export function createConfigMistakes(lineOf: (path: ConfigPath) => number | undefined): ConfigMistakes {
  const mistakes: string[] = [];
  return {
    add(path, message) {
      const line = lineOf(path);
      const field = path.reduce<string>(
        (text, part) =>
          typeof part === "number" ? `${text}[${part}]` : text === "" ? part : `${text}.${part}`,
        "",
      );
      mistakes.push(`${line === undefined ? "" : `line ${line}: `}${field}: ${message}`);
    },
    throwIfAny() {
      if (mistakes.length > 0) throw refusal(`config.json: ${mistakes.join("; ")}`);
    },
  };
}
