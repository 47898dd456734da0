import { statSync } from "node:fs";
import type { NamedModel } from "../model/versions/model-sources.ts";

/** Models named on the command line, and what is wrong with them. */
export interface ModelArguments {
  readonly named: readonly NamedModel[];
  readonly problems: readonly string[];
}

const MAX_NAME = 256;

/** Reads `NAME=PATH` arguments; a path may hold further equals signs. */
export function readModelArguments(positionals: readonly string[]): ModelArguments {
  const named: NamedModel[] = [];
  const problems: string[] = [];
  for (const argument of positionals) {
    const at = argument.indexOf("=");
    const [name, path] = [argument.slice(0, Math.max(0, at)), argument.slice(at + 1)];
    if (at === -1) problems.push(`${argument} came; expected ${insteadOf(argument)}`);
    else if (name === "") problems.push(`${argument} came, without a name in front; expected NAME=PATH`);
    else if (path === "")
      problems.push(`${argument} came, without a path; expected ${name}=PATH, a file or a folder`);
    else if (/[/\\\p{Cc}]/u.test(name) || name.length > MAX_NAME)
      problems.push(`${argument} came; a model's name has no slash and at most ${MAX_NAME} characters`);
    else if (named.some((one) => one.name === name))
      problems.push(`${argument} came, and ${name} was named before it: give each model a name of its own`);
    else named.push({ name, path });
  }
  return { named, problems };
}

/** What was most likely meant by a word without a name in front. */
function insteadOf(argument: string): string {
  const stem = (argument.split(/[/\\]/).at(-1) || "model").replace(/\.onnx$/i, "");
  const isFolder = statSync(argument, { throwIfNoEntry: false })?.isDirectory() === true;
  const one = `${stem === "model" ? "NAME" : stem}=${argument} for one model`;
  return isFolder
    ? `${one}, or --models ${argument} for a repository`
    : `NAME=PATH, ${one}; flags start with --`;
}
