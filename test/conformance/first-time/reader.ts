import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { run } from "../../support/clients/command.ts";
import { type MarkdownBlock, markdownBlocks } from "../../support/markdown-blocks.ts";
import { ASSAY } from "../server-process.ts";

const STEP_MS = 600_000;

/** A reader who follows a page in an empty folder: saves its files, types its commands, sees what comes. */
export interface Reader {
  readonly folder: string;
  /** For what is typed. */
  readonly env: NodeJS.ProcessEnv;
  /** Puts a command of that name on the reader's PATH. */
  putCommand(name: string, path: string): void;
  /** Saves a file, its path below the folder. */
  save(path: string, text: string): void;
  /** Types a script and answers what it printed. Throws with all of it where a command of it fails. */
  type(script: string, folder?: string): Promise<string>;
  /** Removes the folder. */
  leave(): void;
}

/** A reader with an empty folder; `say` gets each step and what came of it. */
export function createReader(name: string, say: (text: string) => void): Reader {
  const home = mkdtempSync(join(tmpdir(), `assay-first-time-${name}-`));
  const folder = join(home, "empty");
  // What `npm install --global` fills, with `assay` in it: npx looks there after the folder itself.
  const prefix = join(home, "global");
  const bin = join(prefix, "bin");
  for (const made of [folder, bin]) mkdirSync(made, { recursive: true });
  const putCommand = (command: string, path: string) => symlinkSync(path, join(bin, command));
  putCommand("assay", ASSAY);
  const env = { ...ownEnvironment(bin), npm_config_prefix: prefix };
  return {
    folder,
    env,
    putCommand,
    save(path, text) {
      say(`saved ${path}, ${text.split("\n").length - 1} lines`);
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    },
    async type(script, below = ".") {
      say(`$ ${script.trim().replaceAll("\n", "\n  ")}`);
      const options = { cwd: join(folder, below), env, timeoutMs: STEP_MS };
      const { status, stdout, stderr } = await run(
        "bash",
        ["--norc", "-euo", "pipefail", "-c", script],
        options,
      );
      if (status !== 0) throw new Error(`${script}ended with status ${status}:\n${stdout}${stderr}`);
      if (stdout !== "") say(stdout.trimEnd());
      return stdout;
    },
    leave: () => rmSync(home, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** The environment as a reader's shell has it: without what `npm run` adds for its own scripts, with Node 24 and the caches of this machine. */
function ownEnvironment(bin: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|INIT_CWD$|NODE_ENV$|NODE_OPTIONS$|VITEST|TEST$)/i.test(name),
  );
  const path = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((part) => !/node_modules\/\.bin|node-gyp-bin/.test(part));
  return {
    ...Object.fromEntries(kept),
    PATH: [bin, dirname(process.execPath), ...path].join(delimiter),
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_prefer_offline: "true",
    npm_config_update_notifier: "false",
  };
}

/** The blocks of a page between a heading and the next of its depth. Throws where there is no such heading. */
export function blocksUnder(page: string, heading: string): readonly MarkdownBlock[] {
  const blocks = markdownBlocks(page);
  const lines = page.split("\n");
  const isInside = (line: number) =>
    blocks.some((one) => one.line < line && line <= one.line + one.text.split("\n").length - 1);
  const headings = lines.flatMap((text, index) =>
    /^## /.test(text) && !isInside(index + 1) ? [{ text: text.slice(3), line: index + 1 }] : [],
  );
  const at = headings.findIndex(({ text }) => text === heading);
  if (at < 0)
    throw new Error(
      `the page has no heading "## ${heading}"; it has ${headings.map(({ text }) => text).join(", ")}`,
    );
  const from = headings[at]!.line;
  const to = headings[at + 1]?.line ?? Number.POSITIVE_INFINITY;
  return blocks.filter(({ line }) => line > from && line < to);
}
