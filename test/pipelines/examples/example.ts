import { cpSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { tool } from "../../conformance/tool.ts";
import { type Finished, run } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { markdownBlocks } from "../../support/markdown-blocks.ts";

const MOST_MS = 200_000;

/** A copy of a folder of `examples/`, in a folder that holds nothing else, with the environment that its README installs. */
export interface Example {
  readonly folder: string;
  /** Runs the block of its README that opens with these words, and what follows; the server's address stands in the place of the README's. */
  follow(info: string, then?: string): Promise<Finished>;
  /** Runs a shell command there. */
  shell(command: string): Promise<Finished>;
  /** Runs a program of Python; the answer is the JSON that it prints. Throws with what it says where it fails. */
  python(program: string): Promise<unknown>;
}

/** Copies an example for one test file. `environment` goes beside the variables that every command gets. */
export function exampleOf(
  name: string,
  url: () => string,
  environment: Record<string, string> = {},
): Example {
  const folder = join(fileFolder(), name);
  cpSync(join("examples", name), folder, { recursive: true });
  const readme = readFileSync(join(folder, "README.md"), "utf8");
  const commands = join(dirname(realpathSync(tool(`python-${name}`))), "venv/bin");
  const shell = (command: string) =>
    run("bash", ["-ec", command], {
      cwd: folder,
      timeoutMs: MOST_MS,
      env: {
        HOME: folder,
        TZ: "UTC",
        PATH: `${commands}${delimiter}${process.env.PATH}`,
        PYTHONPATH: join(process.cwd(), "python/src"),
        PYTHONDONTWRITEBYTECODE: "1",
        ASSAY_URL: url(),
        ...environment,
      },
    });
  return {
    folder,
    shell,
    follow(info, then = "") {
      const block = markdownBlocks(readme).find((one) => one.info.join(" ") === `sh ${info}`);
      if (block === undefined) throw new Error(`the README of ${name} has no block sh ${info}`);
      return shell(block.text.replace("http://127.0.0.1:8080", url()) + then);
    },
    async python(program) {
      const { status, stdout, stderr } = await shell(`python - <<'END'\n${program}\nEND`);
      if (status !== 0) throw new Error(stderr);
      return JSON.parse(stdout);
    },
  };
}
