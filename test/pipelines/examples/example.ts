import { cpSync, existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { inject } from "vitest";
import { tool } from "../../conformance/tool.ts";
import { type Finished, run } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { markdownBlocks } from "../../support/markdown-blocks.ts";

const MOST_MS = 200_000;

/** A copy of a folder of `examples/`, in a folder that holds nothing else but the wheel, which its README begins with. */
export interface Example {
  readonly folder: string;
  /** Runs the block of its README that opens with these words, and what follows; the server's address stands in the place of the README's. */
  follow(info: string, then?: string): Promise<Finished>;
  /** Runs a shell command there, with the commands of the environment that the README installs. */
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
  const wheel = inject("wheel");
  cpSync(wheel, join(folder, basename(wheel)));
  const readme = readFileSync(join(folder, "README.md"), "utf8");
  const shell = (command: string) =>
    run("bash", ["-ec", command], {
      cwd: folder,
      timeoutMs: MOST_MS,
      env: {
        ...process.env,
        HOME: folder,
        PATH: `${join(folder, "venv/bin")}${delimiter}${process.env.PATH}`,
        PYTHONDONTWRITEBYTECODE: "1",
        ASSAY_URL: url(),
        ...environment,
      },
    });
  return {
    folder,
    shell,
    async follow(info, then = "") {
      if (info === "install" && !existsSync(join(folder, "venv"))) await fetched(name, join(folder, "venv"));
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

/**
 * What `scripts/setup-tools.sh` fetched for the example, in the place that the README's commands make: they find the packages that
 * they ask for there, and install the wheel beside them. Packages are linked, and what those commands write over is copied.
 */
async function fetched(name: string, venv: string): Promise<void> {
  const source = join(dirname(realpathSync(tool(`python-${name}`))), "venv");
  const copied = await run("bash", [
    "-ec",
    'mkdir "$2"; cp -a "$1/bin" "$1/pyvenv.cfg" "$2"; cp -al "$1/lib" "$2" 2>/dev/null || cp -a "$1/lib" "$2"',
    "copy",
    source,
    venv,
  ]);
  if (copied.status !== 0) throw new Error(copied.stderr);
  for (const file of readdirSync(join(venv, "bin"), { withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(venv, "bin", file.name);
    const text = readFileSync(path, "latin1");
    if (text.startsWith(`#!${source}`)) writeFileSync(path, text.replaceAll(source, venv), "latin1");
  }
}
