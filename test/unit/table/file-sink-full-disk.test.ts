import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { fileFolder } from "../../support/folders.ts";
import { queryRows } from "../../support/tables/sink-tables.ts";
import type { SinkTask } from "../../support/tables/sink-worker.ts";

const folder = fileFolder();

beforeAll(() => {
  mkdirSync(join(folder, "disk"));
});

const WORKER = fileURLToPath(new URL("../../support/tables/sink-worker.ts", import.meta.url));

test("a full disk ends a run by name, and with more room the next run goes on from its parts", async () => {
  const disk = join(folder, "disk");
  const mount = `mount -t tmpfs -o size=4m none "$DISK"`;
  const score = `"$NODE" "$WORKER" "$TASK"`;
  const told = `2> "$FOLDER/error"; echo $? > "$FOLDER/code"`;
  const options = { env: { ...process.env, DISK: disk, WORKER, NODE: process.execPath, FOLDER: folder } };
  // Where the system lets no user mount a small disk, files that may not grow stand for it.
  const mayMount = spawnSync("unshare", ["-rm", "sh", "-c", mount], options).status === 0;
  const task: SinkTask = {
    outputPath: join(disk, "scores.csv"),
    format: "csv",
    rows: 150 * 2048,
    partRows: 10 * 2048,
    killBeforeStep: 0,
  };
  const listParts = `ls "$DISK/scores.csv.parts" > "$FOLDER/left"`;
  const finish = `${score} && ls "$DISK" && cp "$DISK/scores.csv" "$FOLDER"`;
  const [shell, ...script] = mayMount
    ? [
        "unshare",
        "-rm",
        "sh",
        "-c",
        `${mount}\n${score} ${told}\n${listParts}\nmount -o remount,size=200m "$DISK"\n${finish}`,
      ]
    : ["bash", "-c", `(ulimit -f 1024; ${score} ${told})\n${listParts}\n${finish}`];
  const listed = await new Promise<string>((resolve, reject) => {
    const env = { ...options.env, TASK: JSON.stringify(task) };
    execFile(shell!, script, { env }, (error, stdout) => {
      if (error) reject(error);
      else resolve(stdout);
    });
  });
  expect(readFileSync(join(folder, "code"), "utf8").trim()).toBe("1");
  expect(readFileSync(join(folder, "error"), "utf8")).toContain(
    `cannot write ${task.outputPath}: ${mayMount ? "no space is left on the device" : "the file would be larger than is allowed here"}; what was written stays in ` +
      `${task.outputPath}.parts, and the same command goes on from it`,
  );
  const left = readFileSync(join(folder, "left"), "utf8").trim().split("\n");
  expect(left).toContain("part-000000.parquet");
  expect(left.filter((name) => !/^(part-\d+\.parquet|manifest\.json|lock-1)$/.test(name))).toEqual([]);
  expect(listed.trim()).toBe("scores.csv");
  expect(
    await queryRows(`SELECT count(*) AS rows, max(id) AS last FROM '${join(folder, "scores.csv")}'`),
  ).toEqual([{ rows: String(task.rows), last: String(task.rows - 1) }]);
});
