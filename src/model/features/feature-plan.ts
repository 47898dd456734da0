/** What config.json says of feature sources, held against the model's columns: which are looked up, where, and what happens where they are not there. */
import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import {
  FeatureSource_Absent as Absent,
  type FeatureSource,
  type ModelConfig,
} from "../../../gen/assay/config/v1/model_config_pb.ts";
import { isFloat } from "../../tensor/datatype.ts";
import { didYouMean } from "../../wording/nearest-name.ts";
import type { ConfigMistakes, ConfigPath } from "../config/config-mistakes.ts";
import { quoted } from "../refusal.ts";
import { type Column, columnOfName, type RowColumns, type RowColumnsResult } from "../row-columns.ts";
import { declaredCell, UNFIT } from "./stored-value.ts";

/** What happens where something is not there. */
export type AbsentRule = "REJECT" | "MISSING" | "DEFAULT";

/** A column of the model that is looked up. */
export interface PlannedColumn {
  /** The model's own spelling, by which rows have it. */
  readonly name: string;
  readonly datatype: Column["spec"]["datatype"];
  readonly storedAs: string;
  /** What it is where DEFAULT applies; undefined where none is declared. */
  readonly defaultCell: string | number | boolean | undefined;
}

/** Where values lie. */
export type PlannedStore =
  | {
      readonly kind: "redis";
      readonly url: string;
      readonly urlEnv: string;
      readonly key: string;
      readonly tlsCaFile: string;
    }
  | { readonly kind: "table"; readonly path: string; readonly table: string };

/** One feature source, every default filled in; times in milliseconds. */
export interface FeaturePlan {
  readonly name: string;
  readonly keys: readonly string[];
  readonly columns: readonly PlannedColumn[];
  readonly store: PlannedStore;
  readonly maxAgeMs: number;
  readonly cacheMs: number;
  readonly cacheRows: number;
  readonly cacheBytes: number;
  readonly timeoutMs: number;
  readonly onMissingKey: AbsentRule;
  readonly onMissingColumn: AbsentRule;
  readonly onUnavailable: AbsentRule;
  /** Empty where the store says no times. */
  readonly timeColumn: string;
}

const MAX_AGE_MS = 60_000;
const CACHE_ROWS = 100_000;
const CACHE_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 50;

/** Reads the sources of a model; what contradicts its columns, or itself, is added to `mistakes`. */
export function planFeatures(
  { featureSources }: ModelConfig,
  rowColumns: RowColumnsResult,
  mistakes: ConfigMistakes,
): FeaturePlan[] {
  if (featureSources.length === 0) return [];
  if (rowColumns.kind === "unmapped") {
    mistakes.add(["feature_sources"], `the model takes no rows of columns: ${rowColumns.reason}`);
    return [];
  }
  const names = new Set<string>();
  const taken = new Map<string, string>();
  return featureSources.map((source, index) => {
    const add = (path: ConfigPath, message: string) =>
      mistakes.add(["feature_sources", index, ...path], message);
    if (names.has(source.name)) add(["name"], `two sources are called ${quoted(source.name)}`);
    names.add(source.name);
    return planSource(source, rowColumns.mapping, taken, add);
  });
}

function planSource(
  source: FeatureSource,
  mapping: RowColumns,
  taken: Map<string, string>,
  add: (path: ConfigPath, message: string) => void,
): FeaturePlan {
  const { name, keys, timeColumn } = source;
  const columns = planColumns(source, mapping, taken, add);
  const maxAgeMs = source.maxAgeMs ?? MAX_AGE_MS;
  const cacheMs = source.cacheMs ?? maxAgeMs;
  if (cacheMs > maxAgeMs)
    add(["cache_ms"], `${cacheMs} came; values are used for ${maxAgeMs} ms at most (max_age_ms)`);
  const onMissingKey = ruleOf(source.onMissingKey);
  const onMissingColumn = ruleOf(source.onMissingColumn);
  const onUnavailable = ruleOf(source.onUnavailable);
  const rules = {
    on_missing_key: onMissingKey,
    on_missing_column: onMissingColumn,
    on_unavailable: onUnavailable,
  };
  for (const [field, rule] of Object.entries(rules)) checkRule(field, rule, columns, add);
  return {
    name,
    keys,
    columns,
    store: planStore(source, add),
    maxAgeMs,
    cacheMs,
    cacheRows: source.cacheRows ?? CACHE_ROWS,
    cacheBytes: Number(source.cacheBytes ?? CACHE_BYTES),
    timeoutMs: source.timeoutMs ?? TIMEOUT_MS,
    onMissingKey,
    onMissingColumn,
    onUnavailable,
    timeColumn,
  };
}

function planColumns(
  source: FeatureSource,
  mapping: RowColumns,
  taken: Map<string, string>,
  add: (path: ConfigPath, message: string) => void,
): PlannedColumn[] {
  const keys = new Set(source.keys.map((key) => columnOfName(key, mapping)));
  return source.columns.flatMap(({ name, storedAs, defaultValue }, at): PlannedColumn[] => {
    const column = columnOfName(name, mapping);
    if (column === undefined) {
      const known = mapping.columns.map((one) => one.name);
      add(["columns", at, "name"], `the model has no column ${quoted(name)}${didYouMean(name, known)}`);
      return [];
    }
    if (keys.has(column)) add(["columns", at, "name"], `${quoted(name)} is a key: rows bring it`);
    const other = taken.get(column.name);
    if (other !== undefined)
      add(["columns", at, "name"], `${quoted(name)} is looked up in ${quoted(other)} already`);
    taken.set(column.name, source.name);
    const { datatype } = column.spec;
    const json = defaultValue === undefined ? undefined : toJson(ValueSchema, defaultValue);
    const cell = json === undefined ? undefined : declaredCell(json, datatype);
    if (cell === UNFIT || (json !== undefined && cell === undefined))
      add(
        ["columns", at, "default_value"],
        `it does not fit column ${quoted(name)}, which takes ${datatype}`,
      );
    const defaultCell = cell === UNFIT ? undefined : cell;
    return [{ name: column.name, datatype, storedAs: storedAs || name, defaultCell }];
  });
}

function planStore(
  { name, keys, redis, table }: FeatureSource,
  add: (path: ConfigPath, message: string) => void,
): PlannedStore {
  if (redis === undefined) return { kind: "table", path: table?.path ?? "", table: table?.table ?? "" };
  const { url, urlEnv, tlsCaFile } = redis;
  if ((url === "") === (urlEnv === "")) add(["redis"], "exactly one of url and url_env is set");
  if (url !== "" && !/^(rediss?|valkeys?):\/\/|^\$\{/.test(url))
    add(["redis", "url"], "redis://HOST:PORT/DATABASE is expected, or rediss:// for TLS");
  if (tlsCaFile !== "" && /^(redis|valkey):/.test(url))
    add(
      ["redis", "tls_ca_file"],
      "certificates to trust came for a store without TLS: rediss:// is expected",
    );
  const key = redis.key || `${name}:${keys.map((one) => `{${one}}`).join(":")}`;
  const placeholders = [...key.matchAll(/\{([^}]*)\}/g)].map((match) => match[1]!);
  for (const one of placeholders)
    if (!keys.includes(one)) add(["redis", "key"], `{${one}} is none of the keys${didYouMean(one, keys)}`);
  for (const one of keys)
    if (!placeholders.includes(one))
      add(["redis", "key"], `{${one}} does not stand in it, so that rows of several keys would be one hash`);
  return { kind: "redis", url, urlEnv, key, tlsCaFile };
}

function checkRule(
  field: string,
  rule: AbsentRule,
  columns: readonly PlannedColumn[],
  add: (path: ConfigPath, message: string) => void,
): void {
  const lacking = columns.find(
    ({ defaultCell, datatype }) =>
      (rule === "DEFAULT" && defaultCell === undefined) || (rule === "MISSING" && !isFloat(datatype)),
  );
  if (lacking === undefined) return;
  const why =
    rule === "DEFAULT"
      ? "has no default_value"
      : `takes ${lacking.datatype}, which has no missing values: declare a default_value and say DEFAULT, or REJECT`;
  add([field], `${rule}, and column ${quoted(lacking.name)} ${why}`);
}

function ruleOf(absent: Absent): AbsentRule {
  return absent === Absent.MISSING ? "MISSING" : absent === Absent.DEFAULT ? "DEFAULT" : "REJECT";
}
