import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { type MarkdownBlock, markdownBlocks } from "../../support/markdown-blocks.ts";
import { ASSAY, ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";

const PAGE_ADDRESS = "127.0.0.1:8080";
const blocks = markdownBlocks(readFileSync(join(ROOT, "docs/exporting.md"), "utf8"));
const folder = fileFolder();
let server: ServerProcess | undefined;

beforeAll(() => {
  mkdirSync(join(folder, "bin"));
  symlinkSync(tool("python-training"), join(folder, "bin/python"));
  writeFileSync(join(folder, "bin/assay"), `#!/bin/sh\nexec "${process.execPath}" "${ASSAY}" "$@"\n`);
  chmodSync(join(folder, "bin/assay"), 0o755);
});

afterAll(async () => {
  await server?.stop();
});

describe("docs/exporting.md", () => {
  test("asks for the versions that the training scripts are pinned to", () => {
    const pinned = ["requirements.txt", "requirements-torch.txt"].flatMap((name) =>
      pins(readFileSync(join(ROOT, "examples/training", name), "utf8")),
    );
    const asked = blocks.filter(isInstall).flatMap((block) => pins(block.text));
    expect(asked.length).toBeGreaterThan(10);
    expect(pinned).toEqual(expect.arrayContaining(asked));
  });

  for (const block of blocks) {
    const title = `line ${block.line}, ${block.info.join(" ")}: ${block.text.split("\n", 1)[0]}`;
    test(title, { timeout: 300_000 }, () => follow(block));
  }

  test("has made a model with golden rows in each section", async () => {
    const made = await shell("ls models/*/1/golden.json");
    expect(made.split("\n").filter(Boolean)).toHaveLength(6);
  });

  test("names the columns of a vector in the file or in config.json", async () => {
    expect(await shell("assay inspect models/tumour/1")).toContain("mean radius, mean texture");
    expect(await shell("assay inspect models/progression/1")).toContain("age, sex, bmi");
  });

  test("checks parity in a way that can fail", async () => {
    const path = join(folder, "models/wine/1/golden.json");
    const golden = JSON.parse(readFileSync(path, "utf8"));
    golden[1].outputs[1].data[0] += 0.001;
    writeFileSync(path, JSON.stringify(golden));
    await expect(shell("python parity.py models/wine/1")).rejects.toThrow("times the tolerance");
  });
});

/** Does what a reader does with a block: saves a script, runs commands, or starts the server. */
async function follow(block: MarkdownBlock): Promise<void> {
  const [language, file] = block.info;
  if (language === "text") return;
  if (language === "python" && file !== undefined) return writeFileSync(join(folder, file), block.text);
  if (language !== "sh") throw new Error(`nobody knows what to do with a block of ${block.info.join(" ")}`);
  if (block.text === "assay serve --models models\n") {
    server = await startServer(join(folder, "models"));
    return;
  }
  const printed = await shell(block.text.replaceAll(PAGE_ADDRESS, () => runningServer().address));
  if (block.text.includes("/Predict")) expect(JSON.parse(printed).scores).toEqual([expect.any(Number)]);
  if (block.text.includes("/ListModels")) {
    const states = JSON.parse(printed).models.map((model: { state: string }) => model.state);
    expect(states).toEqual(Array(6).fill("READY"));
  }
  if (block.text.startsWith("assay inspect")) expect(printed).toContain("months_active");
}

function runningServer(): ServerProcess {
  if (server === undefined) throw new Error("the server that the page starts is not running");
  return server;
}

async function shell(script: string): Promise<string> {
  const finished = await run("bash", ["-euo", "pipefail", "-c", script], {
    cwd: folder,
    env: { ...process.env, PATH: `${join(folder, "bin")}${delimiter}${process.env.PATH}` },
    timeoutMs: 280_000,
  });
  if (finished.status !== 0)
    throw new Error(`${script}ended with status ${finished.status}:\n${finished.stdout}${finished.stderr}`);
  return finished.stdout;
}

function isInstall(block: MarkdownBlock): boolean {
  return block.text.includes("pip install");
}

function pins(text: string): string[] {
  return text.match(/[\w.-]+==[\w.]+/g) ?? [];
}
