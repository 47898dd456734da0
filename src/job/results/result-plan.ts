import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { Model, TensorSpec } from "../../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { ResultColumns } from "../../table/result-rows.ts";
import { quotedList } from "../../wording/quoted-list.ts";
import type { ColumnMapping } from "../columns/column-mapping.ts";
import { createTableProblems } from "../columns/table-problems.ts";

/** Options of results: what they hold beside the scores. */
export interface ResultOptions {
  /** The value of each class. */
  readonly probabilities: boolean;
  /** Leave out rows that have an error. */
  readonly skipErrors: boolean;
}

/** The columns of the results, and how they are read from responses. */
export interface ResultPlan {
  readonly columns: ResultColumns;
  /** Outputs that each request must ask for. */
  readonly outputNames: readonly string[];
}

/**
 * Decides the columns of the results. Throws TABLE_INVALID where the model gives neither scores nor labels, where it has no probabilities
 * although they are asked for, and where a column kept has the name of a result.
 */
export function planResults(model: Model, keep: ColumnMapping["keep"], options: ResultOptions): ResultPlan {
  const output = model.outputs.find(({ name }) => name === model.scoreOutput);
  const hasLabel = model.labelOutput !== "" || (output !== undefined && model.labels.length > 0);
  if (output === undefined && !hasLabel) {
    const why = model.notices.find((notice) => notice.startsWith("no score"));
    throw new AssayError(
      Reason.TABLE_INVALID,
      `model ${JSON.stringify(model.modelName)} gives no scores: none of its outputs (${model.outputs.map(described).join(", ")}) ` +
        `is one; say which with score_output in its config.json${why === undefined ? "" : ` (${why})`}`,
    );
  }
  const problems = createTableProblems();
  const classes = options.probabilities && output !== undefined ? classNames(model, output) : [];
  if (options.probabilities && classes.length === 0) {
    const name = JSON.stringify(model.modelName);
    problems.add(
      output === undefined
        ? `--probabilities: model ${name} gives labels only, and no value for each class`
        : `--probabilities: the scores of model ${name} come from ${described(output)}, which has no value for each class`,
    );
  }
  const columns: ResultColumns = {
    keep,
    hasScore: output !== undefined,
    hasLabel,
    knownLabels: model.labels,
    probabilities: classes,
    modelVersion: model.modelVersion,
    skipErrors: options.skipErrors,
  };
  const results = resultNames(columns);
  // DuckDB, and many readers of its files, take names that differ only in case for the same.
  const taken = keep.filter(({ name }) =>
    results.some((result) => result.toLowerCase() === name.toLowerCase()),
  );
  if (taken.length > 0) {
    problems.add(
      `--keep: ${quotedList(taken.map(({ name }) => name))} would stand beside a result of that name; rename with sql: (SELECT … AS …)`,
    );
  }
  problems.throwIfAny();
  // Without a score all outputs would come unasked.
  const asked = output === undefined ? model.labelOutput : classes.length === 0 ? "" : output.name;
  return { columns, outputNames: asked === "" ? [] : [asked] };
}

/** The names of the result columns, in their order, without those kept. */
export function resultNames(columns: ResultColumns): string[] {
  return [
    ...(columns.hasScore ? ["score"] : []),
    ...(columns.hasLabel ? ["label"] : []),
    ...columns.probabilities.map((name) => `probability_${name}`),
    "model_version",
    "score_error",
  ];
}

/**
 * The classes of an `[N, C]` output by column: their labels, else their positions, also where two labels differ only in case;
 * empty where C is not known.
 */
function classNames(model: Model, output: TensorSpec): string[] {
  if (output.shape.length !== 2 || output.shape[1] === 1n) return [];
  const labels = output.labels.length > 0 ? output.labels : model.labels;
  const count = Number(output.shape[1]);
  const distinct = new Set(labels.map((label) => label.toLowerCase())).size === labels.length;
  if (distinct && (count === -1 || count === labels.length)) return [...labels];
  return Array.from({ length: count === -1 ? labels.length : count }, (_, position) => String(position));
}

function described({ name, datatype, shape }: TensorSpec): string {
  return `${JSON.stringify(name)} ${datatype}[${shape.join(",")}]`;
}
