/** The wheel of the Python package, built as python/README.md says, which the READMEs of the examples install. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { tool } from "../../conformance/tool.ts";
import { run } from "../../support/clients/command.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The wheel's file. */
    wheel: string;
  }
}

/** Builds it before the first file, and removes it after the last. */
export default async function setUp(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "assay-test-"));
  const copy = join(folder, "python");
  cpSync("python", copy, { recursive: true, filter: (path) => !/__pycache__|_cache$|\/dist$/.test(path) });
  const built = await run(tool("python-assay"), ["-m", "build", "--wheel", "--no-isolation", copy]);
  if (built.status !== 0) throw new Error(built.stdout + built.stderr);
  const [wheel = ""] = readdirSync(join(copy, "dist"));
  project.provide("wheel", join(copy, "dist", wheel));
  return () => rmSync(folder, { recursive: true, force: true });
}
