import { create, type JsonObject } from "@bufbuild/protobuf";
import {
  type FeatureOrigin,
  FeatureOriginSchema,
  type FeatureReport,
  FeatureReportSchema,
  FeatureOrigin_From as From,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import type { AbsentRule, FeaturePlan } from "../model/features/feature-plan.ts";
import { UNFIT } from "../model/features/stored-value.ts";
import { cellPath } from "../wording/field-paths.ts";
import type { FeatureCounts, RowOutcome } from "./feature-counts.ts";
import type { FetchedRow } from "./row-cache.ts";
import { listedColumns, type RowShape } from "./row-shape.ts";

/** Where what is wrong with rows goes. */
export interface RowFaults {
  readonly hasRoom: boolean;
  add(field: string, description: string, rule: string): void;
  leaveOut(count?: number): void;
}

/** What was found for one row of a request in one source. */
export interface FoundRow {
  readonly fetched: FetchedRow | undefined;
  readonly fromCache: boolean;
}

const MOST_AGE_MS = 0xffff_ffff;

/** The rows of one request on their way to being complete. */
export class RowCompletion {
  readonly rows: JsonObject[] = [];
  private readonly shapes: readonly RowShape[];
  private readonly faults: RowFaults;
  private readonly origins: FeatureOrigin[] | undefined;

  /** `explain`: it is kept where each value came from. */
  constructor(rows: readonly JsonObject[], shapes: readonly RowShape[], faults: RowFaults, explain: boolean) {
    this.shapes = shapes;
    this.faults = faults;
    this.origins = explain ? [] : undefined;
    for (let i = 0; i < rows.length; i++) this.rows.push(copied(rows[i]!, shapes[i]!.kept));
  }

  /**
   * Fills in the columns of one source. `found` has a row's find by its place; undefined for rows that nothing was looked up for. False
   * where the store did not answer for a row, and the source's rule is to reject then.
   */
  fill(
    sourceIndex: number,
    plan: FeaturePlan,
    found: readonly (FoundRow | undefined)[],
    counts: FeatureCounts,
  ): boolean {
    const origins = this.origins === undefined ? undefined : originsOf(plan);
    const now = performance.now();
    let isAnswered = true;
    for (let index = 0; index < this.rows.length; index++) {
      const { absent } = this.shapes[index]!.sources[sourceIndex]!;
      if (origins !== undefined)
        for (const origin of origins) {
          origin.from.push(From.REQUEST);
          origin.ageMs.push(0);
        }
      const one = found[index];
      if (one === undefined) continue;
      const filler = { row: this.rows[index]!, index, absent, plan, origins, faults: this.faults };
      const outcome = fillRow(filler, one, now, counts);
      counts.rows[outcome]++;
      if (outcome === "unavailable" && plan.onUnavailable === "REJECT") isAnswered = false;
    }
    if (origins !== undefined) this.origins!.push(...origins);
    return isAnswered;
  }

  get report(): FeatureReport | undefined {
    return this.origins === undefined ? undefined : create(FeatureReportSchema, { columns: this.origins });
  }
}

interface Filler {
  readonly row: JsonObject;
  readonly index: number;
  readonly absent: readonly number[];
  readonly plan: FeaturePlan;
  readonly origins: readonly FeatureOrigin[] | undefined;
  readonly faults: RowFaults;
}

function fillRow(
  filler: Filler,
  { fetched, fromCache }: FoundRow,
  now: number,
  counts: FeatureCounts,
): RowOutcome {
  const { plan, index, absent, row, origins } = filler;
  if (fetched === undefined) {
    for (const at of absent) put(filler, at, plan.onUnavailable);
    return "unavailable";
  }
  const { cells, writtenAt, fetchedAt } = fetched;
  const isDated = !Number.isNaN(writtenAt);
  const ageMs = Math.max(0, now - (isDated ? writtenAt : fetchedAt));
  const isOld = isDated && ageMs > plan.maxAgeMs;
  if (cells === undefined || isOld) {
    if (plan.onMissingKey === "REJECT") addKeyFault(filler, isOld);
    else for (const at of absent) put(filler, at, plan.onMissingKey);
    return isOld ? "too_old" : "missing_key";
  }
  counts.ages.observe(ageMs);
  let outcome: RowOutcome = fromCache ? "cache" : "store";
  for (const at of absent) {
    const cell = cells[at];
    if (cell === UNFIT) {
      outcome = "unfit";
      const what = `feature source ${JSON.stringify(plan.name)} has a value that the column (${plan.columns[at]!.datatype}) does not take: mend the store, or send the column`;
      addFault(filler, plan.columns[at]!.name, what, "features.unfit");
    } else if (cell === undefined) {
      if (outcome !== "unfit") outcome = "missing_column";
      if (plan.onMissingColumn !== "REJECT") put(filler, at, plan.onMissingColumn);
      else {
        const what = `feature source ${JSON.stringify(plan.name)} has the key and no value of this column: send it, or fill the store`;
        addFault(filler, plan.columns[at]!.name, what, "features.missing_column");
      }
    } else {
      set(row, plan.columns[at]!.name, cell);
      if (origins === undefined) continue;
      origins[at]!.from[index] = fromCache ? From.CACHE : From.STORE;
      origins[at]!.ageMs[index] = Math.min(MOST_AGE_MS, Math.round(ageMs));
    }
  }
  return outcome;
}

/** What stands in for a value that is not there; of a request that is refused nothing does. */
function put({ row, index, plan, origins }: Filler, at: number, rule: AbsentRule): void {
  if (rule === "REJECT") return;
  const { name, defaultCell } = plan.columns[at]!;
  set(row, name, rule === "DEFAULT" ? defaultCell! : Number.NaN);
  if (origins !== undefined) origins[at]!.from[index] = rule === "DEFAULT" ? From.DEFAULT : From.MISSING;
}

function addKeyFault(filler: Filler, isOld: boolean): void {
  const { plan, absent } = filler;
  const source = `feature source ${JSON.stringify(plan.name)}`;
  const columns = listedColumns(absent.map((at) => plan.columns[at]!));
  const what = isOld
    ? `what ${source} has under this key is older than ${plan.maxAgeMs} ms (max_age_ms): fill the store, or send ${columns}`
    : `${source} has nothing under this key: check it, or send ${columns}`;
  addFault(filler, plan.keys[0]!, what, isOld ? "features.too_old" : "features.unknown_key");
}

function addFault({ faults, index }: Filler, column: string, description: string, rule: string): void {
  if (faults.hasRoom) faults.add(cellPath(index, column), description, rule);
  else faults.leaveOut();
}

function originsOf({ name, columns }: FeaturePlan): FeatureOrigin[] {
  return columns.map((column) => create(FeatureOriginSchema, { column: column.name, source: name }));
}

function copied(row: JsonObject, names: readonly string[]): JsonObject {
  const made: JsonObject = {};
  for (const name of names) set(made, name, row[name]!);
  return made;
}

function set(row: JsonObject, name: string, value: JsonObject[string]): void {
  if (name === "__proto__") Object.defineProperty(row, name, { value, enumerable: true, configurable: true });
  else row[name] = value;
}
