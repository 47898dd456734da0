import type { Model, TensorSpec } from "../../../gen/assay/v1/model_service_pb.ts";
import type { InferredType } from "../../table/inferred-types.ts";
import type { TableColumn } from "../../table/table-source.ts";
import type { Datatype } from "../../tensor/datatype.ts";
import type { TableNames } from "./table-names.ts";
import type { TableProblems } from "./table-problems.ts";

/** How columns find their inputs. */
export interface MappingOptions {
  /** The column of an input of one value, of a feature, or of a position of an input without feature names: `x[3]`. */
  readonly maps: ReadonlyMap<string, string>;
  /** Columns that are neither kept nor in `maps` fill the inputs in the order of the table; names do not count. */
  readonly byPosition: boolean;
  /** Columns that fill the inputs in this order, whatever their names; default none: they are found by name, or by position. */
  readonly listed?: readonly string[];
  /** Columns to pass through. */
  readonly keep: readonly string[];
  /** Types to read kept columns as; default: as the table has them. */
  readonly keepAs?: ReadonlyMap<string, InferredType>;
  /** The table's text may stand for numbers: true for CSV, where everything is text. */
  readonly textNumbers: boolean;
  /** The source reads `joinedTexts` and `packedFloats`. */
  readonly joinColumns: boolean;
  /** For messages; default: none is named. */
  readonly table?: TableNames;
}

/** One value of a row of an input: what one column feeds. */
export interface Element {
  /** Unique in the model. */
  readonly key: string;
  /** What --map calls it. */
  readonly name: string;
  /** Other names under which a table may have its column; undefined where the model does not name it. */
  readonly spellings: readonly string[] | undefined;
  /** An input of one value: a column may also be spelled as exporters turn names into identifiers. */
  readonly identifier: boolean;
}

/** An input of a model with the values of one row, by position. */
export interface InputElements {
  readonly name: string;
  readonly datatype: Datatype;
  readonly tailShape: readonly number[];
  /** `FP32[-1,5]`. */
  readonly described: string;
  readonly optional: boolean;
  /** Empty where columns cannot feed it. */
  readonly elements: readonly Element[];
}

/** The values that a row of each input is made of; inputs that no columns can feed are problems unless they are optional. */
export function inputElements(
  model: Model,
  columns: readonly TableColumn[],
  options: MappingOptions,
  problems: TableProblems,
): InputElements[] {
  return model.inputs.map((spec) => {
    const tailShape = rowShape(spec, model, columns, options);
    const described = `${spec.datatype}[${spec.shape.join(",")}]`;
    const { name, optional } = spec;
    const datatype = spec.datatype as Datatype;
    if (tailShape === undefined) {
      if (!optional)
        problems.add(
          `input ${JSON.stringify(name)} is ${described}, and columns fill only rows of one known length; ${whatToDo(spec)}`,
        );
      return { name, datatype, optional, described, tailShape: [], elements: [] };
    }
    return { name, datatype, optional, described, tailShape, elements: elementsOf(spec, tailShape) };
  });
}

function whatToDo(spec: TensorSpec): string {
  return spec.shape.length === 2
    ? "name the columns (feature_names in the model's config.json), list them (--columns), or take all of the table's in order (--by-position)"
    : "send it requests instead";
}

/** The shape of one row, or undefined where it is not known. */
function rowShape(
  spec: TensorSpec,
  model: Model,
  columns: readonly TableColumn[],
  options: MappingOptions,
): number[] | undefined {
  // A shape without axes is a scalar or was never declared: neither has rows.
  if (spec.shape.length === 0) return undefined;
  const tail = spec.shape.slice(1).map(Number);
  if (!tail.includes(-1)) return tail;
  if (tail.length !== 1) return undefined;
  if (spec.featureNames.length > 0) return [spec.featureNames.length];
  if (model.inputs.length !== 1) return undefined;
  if (options.listed !== undefined && options.listed.length > 0) return [options.listed.length];
  if (!options.byPosition) return undefined;
  const taken = new Set([...options.keep, ...options.maps.values()]);
  return [columns.filter(({ name }) => !taken.has(name)).length + options.maps.size];
}

function elementsOf(spec: TensorSpec, tailShape: readonly number[]): Element[] {
  const width = tailShape.reduce((product, length) => product * length, 1);
  const { name, featureNames } = spec;
  if (featureNames.length > 0 && featureNames.length === width) {
    return featureNames.map((feature, at) => ({
      key: `${name}\u0000${at}`,
      name: feature,
      spellings: [feature],
      identifier: false,
    }));
  }
  if (width === 1) return [{ key: name, name, spellings: [name, ...spec.aliases], identifier: true }];
  return Array.from({ length: width }, (_, at) => ({
    key: `${name}\u0000${at}`,
    name: `${name}[${at}]`,
    spellings: undefined,
    identifier: false,
  }));
}
