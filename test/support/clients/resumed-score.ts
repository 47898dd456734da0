/** What tests of killed and resumed runs of `assay score` share: a table, what an undisturbed run makes of it, and a moment to kill at. */
import { type FSWatcher, mkdtempSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { query } from "../tables/tables.ts";
import { score } from "./score-command.ts";

const ROWS = 60_000;
const PART_ROWS = 4_000;

/** A folder of its own, with a table of different rows for the iris model; whoever made it removes it. */
export class ResumedScore {
  readonly rowCount = ROWS;
  readonly folder = mkdtempSync(join(tmpdir(), "assay-resume-"));
  readonly table = join(this.folder, "flowers.parquet");
  /** What a run that nobody killed gives. */
  undisturbed: Record<string, unknown>[] = [];

  /** Makes the table and scores it once. */
  static async start(): Promise<ResumedScore> {
    const made = new ResumedScore();
    const columns = ["a", "b", "c", "d"].map((name, i) => `(random() * ${2 + i})::FLOAT AS ${name}`);
    await query(
      `COPY (SELECT range AS id, ${columns.join(", ")} FROM range(${ROWS})) TO '${made.table}' (ROW_GROUP_SIZE 5000)`,
    );
    const ran = await score(made.command("undisturbed.parquet"));
    expect(ran.code, ran.stderr).toBe(0);
    made.undisturbed = await made.scoresIn("undisturbed.parquet");
    expect(made.undisturbed).toHaveLength(ROWS);
    expect(new Set(made.undisturbed.map((row) => row.score)).size).toBeGreaterThan(ROWS / 100);
    return made;
  }

  /** The arguments of a run into a file of the folder. */
  command(output: string, ...more: string[]): string[] {
    return ["--model", "iris", "--input", this.table, "--output", join(this.folder, output)].concat(
      ["--by-position", "--keep", "id", "--part-rows", String(PART_ROWS)],
      more,
    );
  }

  scoresIn(name: string): Promise<Record<string, unknown>[]> {
    const path = join(this.folder, name);
    return query(`SELECT id, round(score, 5) AS score, label, score_error FROM '${path}'`);
  }

  /** Calls `act` at the count-th change in the folder, wherever in the run that is; resolves when it has, or `over` settles. */
  async atChange(count: number, act: () => void, over: Promise<unknown>): Promise<void> {
    let seen = 0;
    let watcher: FSWatcher | undefined;
    await Promise.race([
      over,
      new Promise<void>((resolve) => {
        watcher = watch(this.folder, { recursive: true }, () => {
          if (++seen < count) return;
          act();
          resolve();
        });
      }),
    ]);
    watcher?.close();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
