import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished } from "vitest";

/** A folder for one test file, removed when its tests have ended; made while the file is read, not in a hook. */
export function fileFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "assay-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder for one test, removed when it has ended; made in the test or in its `beforeEach`. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "assay-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A model repository for one test file that holds one of the example models alone: it is loaded in less time than all of them. */
export function exampleRepository(name: string): string {
  const folder = fileFolder();
  cpSync(join("models", name), join(folder, name), { recursive: true });
  return folder;
}
