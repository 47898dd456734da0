import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { thisProcess } from "../../../../src/table/process-identity.ts";
import { lockOutput } from "../../../../src/table/write/output-lock.ts";
import { type PartFolder, partFolder } from "../../../../src/table/write/parts/part-folder.ts";
import { fileFolder } from "../../../support/folders.ts";

const root = fileFolder();
let folders = 0;
function newFolder(): PartFolder {
  const folder = partFolder(join(root, `scores-${++folders}.csv`));
  mkdirSync(folder.path);
  return folder;
}

const ENDED = { host: hostname(), pid: 4_194_305, startedAt: "" };

test("only one of many that come at once takes a lock, also where a stale one stands", async () => {
  for (const stale of [false, true]) {
    const folder = newFolder();
    if (stale) writeFileSync(join(folder.path, "lock-1"), JSON.stringify(ENDED));
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockOutput(folder)));
    const taken = tries.filter((settled) => settled.status === "fulfilled");
    expect(taken.length).toBe(1);
    for (const settled of tries) {
      if (settled.status === "rejected") {
        expect(settled.reason).toMatchObject({
          reason: Reason.CONFIG_INVALID,
          message: expect.stringContaining(`is being written by another run (process ${process.pid})`),
        });
      }
    }
    await taken[0]!.value.release();
    expect(readdirSync(folder.path)).toEqual([]);
  }
});

test.each([
  ["a process that has ended", JSON.stringify(ENDED)],
  [
    "a process whose number another has now",
    JSON.stringify({ ...thisProcess(), startedAt: "an older boot 1" }),
  ],
  ["a run that was killed as it wrote its lock", ""],
])("the lock of %s is taken over", async (title, text) => {
  if (title.includes("number another has") && thisProcess().startedAt === "") {
    console.log("skipped: this system does not tell when a process started");
    return;
  }
  const folder = newFolder();
  writeFileSync(join(folder.path, "lock-7"), text);
  const lock = await lockOutput(folder);
  expect(readdirSync(folder.path)).toEqual(["lock-8"]);
  await lock.release();
});

test("the lock of another machine holds as long as it is touched", async () => {
  const folder = newFolder();
  const path = join(folder.path, "lock-1");
  writeFileSync(path, JSON.stringify({ host: "elsewhere", pid: 1, startedAt: "" }));
  await expect(lockOutput(folder)).rejects.toThrow(
    `${folder.outputPath} is being written by another run (process 1 on elsewhere): wait for it, or give another --output. ` +
      `If no such run is left, remove ${folder.name}/lock-1`,
  );
  const longAgo = new Date(Date.now() - 120_000);
  utimesSync(path, longAgo, longAgo);
  const lock = await lockOutput(folder);
  await lock.release();
});
