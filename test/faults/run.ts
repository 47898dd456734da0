/**
 * Tries every fault on the package that `npm pack` makes, installed in a folder of its own, and prints a table. Exits 1 while any
 * is there.
 *
 *   npm run faults
 *   npm run faults -- --before DIR      the same on another checkout or installed package, for the column "before"
 *   npm run faults -- --only 'gzip'     those whose name matches
 *   npm run faults -- --package DIR     on this checkout or installed package instead of packing
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Bed } from "./bed.ts";
import type { Fault, Verdict } from "./fault.ts";
import { HTTP2_FAULTS } from "./http2-faults.ts";
import { LOOP_FAULTS } from "./loop-faults.ts";
import { PROCESS_FAULTS } from "./process-faults.ts";
import { TOLD_FAULTS } from "./told-faults.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const FAULTS: readonly (readonly [string, readonly Fault[]])[] = [
  ["the process", PROCESS_FAULTS],
  ["the event loop and the memory", LOOP_FAULTS],
  ["connections", HTTP2_FAULTS],
  ["what is told, and what a server starts with", TOLD_FAULTS],
];

/** Packs the checkout and installs it as a user does, without install scripts; resolves to the package's folder. */
function installPackage(folder: string): string {
  const quiet = { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] as ["ignore", "ignore", "inherit"] };
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], quiet);
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  const install = ["install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--silent"];
  execFileSync("npm", [...install, join(folder, archive)], { ...quiet, cwd: folder });
  return join(folder, "node_modules/assay");
}

/** Tries one fault on a package; what takes too long, or cannot even start, counts as there. */
async function attempt(fault: Fault, root: string): Promise<Verdict> {
  const bed = new Bed(root, join(ROOT, "models"));
  try {
    const seconds = fault.seconds ?? 40;
    const late = delay(seconds * 1000, { faulty: true, came: `not over after ${seconds} s` }, { ref: false });
    return await Promise.race([fault.run(bed), late]);
  } catch (error) {
    return { faulty: true, came: (error as Error).message };
  } finally {
    bed.close();
  }
}

const { values } = parseArgs({
  options: { before: { type: "string" }, only: { type: "string" }, package: { type: "string" } },
});
const folder = mkdtempSync(join(tmpdir(), "assay-faults-"));
try {
  const root = values.package === undefined ? installPackage(folder) : resolve(values.package);
  const only = new RegExp(values.only ?? "", "i");
  const cell = ({ faulty, came }: Verdict) =>
    `${faulty ? "**there**" : "gone"}: ${came.replaceAll("|", "\\|")}`;
  let there = 0;
  let tried = 0;
  for (const [title, faults] of FAULTS) {
    const chosen = faults.filter(({ name }) => only.test(name));
    if (chosen.length === 0) continue;
    console.log(`\n## ${title}\n\n| fault | before | after |\n|---|---|---|`);
    for (const fault of chosen) {
      const before = values.before === undefined ? "" : cell(await attempt(fault, resolve(values.before)));
      const after = await attempt(fault, root);
      tried++;
      if (after.faulty) there++;
      console.log(`| ${fault.name} | ${before} | ${cell(after)} |`);
    }
  }
  console.log(`\n${tried} tried, ${there} there`);
  process.exitCode = there > 0 || tried === 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
