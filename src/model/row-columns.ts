import { NameHints } from "../wording/name-hints.ts";
import { exporterSpelling } from "./column-names.ts";
import { type ModelSignature, rowShape, type TensorSpec } from "./signature.ts";

/** One column of `rows`: where its values go. */
export interface Column {
  /** The spelling shown to callers. */
  readonly name: string;
  /** Among all columns. */
  readonly position: number;
  readonly inputIndex: number;
  /** Position within one row of the input. */
  readonly offset: number;
  readonly spec: TensorSpec;
}

/** The mapping of `rows` to a model's inputs. */
export interface RowColumns {
  readonly columns: readonly Column[];
  /** The columns of each input. */
  readonly byInput: readonly (readonly Column[])[];
  /** Columns that every row must have. */
  readonly requiredCount: number;
  /** Every accepted spelling. */
  readonly byName: ReadonlyMap<string, Column>;
  readonly hints: NameHints;
  /** Elements a row of each input. */
  readonly widths: readonly number[];
}

/** Either the mapping, or why the model takes no `rows`. */
export type RowColumnsResult =
  | { readonly kind: "mapped"; readonly mapping: RowColumns }
  | { readonly kind: "unmapped"; readonly reason: string };

/**
 * Maps columns to inputs: an input of one value a row is a column under its own name and aliases; a vector input is one
 * column a feature name. Made once a model version.
 */
export function mapRowColumns(signature: ModelSignature): RowColumnsResult {
  const columns: Column[] = [];
  const byName = new Map<string, Column>();
  const widths: number[] = [];
  for (const [inputIndex, spec] of signature.inputs.entries()) {
    const tail = rowShape(spec, signature);
    const width = tail.reduce((product, length) => product * length, 1);
    const names = spec.featureNames.length > 0 ? spec.featureNames : width === 1 ? [spec.name] : [];
    const vector = tail.length === 1 && (tail[0] === -1 || tail[0] === names.length);
    if (names.length === 0 || (width !== names.length && !vector)) {
      if (spec.optional) {
        widths.push(0);
        continue;
      }
      return { kind: "unmapped", reason: unmapped(spec) };
    }
    widths.push(names.length);
    for (const [offset, name] of names.entries()) {
      const column = { name, position: columns.length, inputIndex, offset, spec };
      columns.push(column);
      byName.set(name, column);
    }
  }
  for (const column of columns) {
    const aliases = column.spec.featureNames.length > 0 ? [] : column.spec.aliases;
    for (const alias of aliases) if (!byName.has(alias)) byName.set(alias, column);
  }
  const byInput = signature.inputs.map((): Column[] => []);
  for (const column of columns) byInput[column.inputIndex]!.push(column);
  const requiredCount = columns.filter(({ spec }) => !spec.optional).length;
  const hints = new NameHints(byName.keys());
  return { kind: "mapped", mapping: { columns, byInput, requiredCount, byName, hints, widths } };
}

const OTHER_SIGNS = /[^0-9a-zA-Z_]|^\d/;

/** The column that a name means, in any spelling. */
export function columnOfName(name: string, mapping: RowColumns): Column | undefined {
  return mapping.byName.get(name) ?? columnOfExporter(name, mapping);
}

/** A column of mixed signs, `hours-per week`, whose input an exporter called `hours_per_week`. */
function columnOfExporter(name: string, mapping: RowColumns): Column | undefined {
  if (name.length > 1024 || !OTHER_SIGNS.test(name)) return undefined;
  const column = mapping.byName.get(exporterSpelling(name));
  return column?.spec.featureNames.length === 0 ? column : undefined;
}

function unmapped(spec: TensorSpec): string {
  const shape = `${spec.datatype}[${spec.shape.join(",")}]`;
  return (
    `rows came, but input ${JSON.stringify(spec.name)} is ${shape} and its columns have no names: send features or inputs, ` +
    "or name the columns (feature_names in config.json or in the file's metadata)"
  );
}
