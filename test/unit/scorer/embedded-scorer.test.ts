import { beforeEach, expect, test } from "vitest";
import { openEmbeddedScorer } from "../../../src/scorer/embedded-scorer.ts";
import { testFolder } from "../../support/folders.ts";
import { silentLog } from "../../support/servers/silent-log.ts";
import { ChangingRepository, plusModel } from "../../support/updates/changing-repository.ts";

let repository: ChangingRepository;
beforeEach(() => {
  repository = new ChangingRepository(testFolder());
  for (const version of [1, 2, 3]) repository.put(version, plusModel(version));
});

/** The version that `--model` means. */
async function versionOf(model: string): Promise<string> {
  const settings = { models: repository.folder, model, devices: "cpu" };
  const scorer = await openEmbeddedScorer({ settings, environment: {}, log: silentLog });
  await scorer.close();
  return scorer.model.modelVersion;
}

test("without a version the default of the model scores, as on a server, and a label means the version that it does there", async () => {
  expect(await versionOf("plus")).toBe("3");
  repository.configure({ version_labels: { stable: 2 }, default_version: "stable" });
  expect([await versionOf("plus"), await versionOf("plus:1"), await versionOf("plus:stable")]).toEqual([
    "2",
    "1",
    "2",
  ]);
  await expect(versionOf("plus:canary")).rejects.toThrow("has no version canary; it has 1, 2, 3");
});

test("a config.json that cannot be read is told with the version", async () => {
  repository.write("plus/config.json", "{");
  await expect(versionOf("plus")).rejects.toThrow("version 3 cannot score: config.json: line 1");
});
