import type { Model } from "../../../gen/assay/v1/model_service_pb.ts";
import { BatchingMode } from "../../../gen/assay/v1/model_service_pb.ts";
import type { ColumnRequest, TableColumn } from "../../table/table-source.ts";
import type { Datatype } from "../../tensor/datatype.ts";
import { type ColumnKind, columnKind, kindFault } from "./column-kind.ts";
import { checkKept, type ElementMatch, matchElements } from "./element-match.ts";
import { mappingLines } from "./mapping-lines.ts";
import { type InputElements, inputElements, type MappingOptions } from "./model-elements.ts";
import { missingColumnLines } from "./table-names.ts";
import { createTableProblems, type TableProblems } from "./table-problems.ts";

/** Where the values of one position of a tensor's rows come from. */
export interface MappedColumn {
  /** The model's name of it: the input, the feature, or `input[3]`. */
  readonly element: string;
  /** The table's column. */
  readonly column: string;
  readonly kind: ColumnKind;
  /** Its vector in each chunk. */
  readonly vectorIndex: number;
}

/** One tensor of each request, and the columns that fill a row of it, by position. */
export interface MappedTensor {
  readonly name: string;
  readonly datatype: Datatype;
  /** The lengths after axis 0; their product is the number of columns. */
  readonly tailShape: readonly number[];
  readonly columns: readonly MappedColumn[];
  /** The vector that has all columns of a row in one list; the columns have none of their own then. */
  readonly packedIndex?: number;
}

/** How a table feeds a model. */
export interface ColumnMapping {
  /** In the model's order; optional inputs that are left out are not here. */
  readonly tensors: readonly MappedTensor[];
  /** What to read, each once: the model's columns, then those kept that the model does not read as they are. */
  readonly requests: readonly ColumnRequest[];
  /** The columns kept, as they were asked for. */
  readonly keep: readonly { readonly name: string; readonly vectorIndex: number }[];
  /** Columns whose middling texts are read joined as well, and the vector that has them. */
  readonly joined: { readonly columns: readonly string[]; readonly vectorIndex: number } | undefined;
  /** For the user: what was mapped to what. */
  readonly lines: readonly string[];
  /** Columns that are neither scored nor kept. */
  readonly surplus: readonly string[];
}

/**
 * Finds the columns of a table that feed a model, as docs/scoring-files.md says under "Columns". Throws TABLE_INVALID with one
 * line for each thing that is wrong.
 */
export function mapColumns(
  model: Model,
  columns: readonly TableColumn[],
  options: MappingOptions,
): ColumnMapping {
  const problems = createTableProblems();
  if (model.batching === BatchingMode.NO_BATCH_DIMENSION) {
    problems.add(
      `model ${JSON.stringify(model.modelName)} has no batch dimension: one run takes one request, not rows of a table; send it requests instead`,
    );
    problems.throwIfAny();
  }
  const inputs = inputElements(model, columns, options, problems);
  const matches = matchElements(inputs, columns, options, problems);
  const isMissing = problems.size > 0;
  const kept = checkKept(options.keep, columns, problems);
  const byName = new Map(columns.map((column) => [column.name, column]));
  const used = new Set([...matches.values()].map(({ column }) => column).concat(kept));
  checkRepeated(used, columns, problems);
  checkTypes(inputs, matches, byName, options, problems);
  if (isMissing) {
    const names = inputs
      .flatMap(({ elements }) => elements.filter(({ key }) => !matches.has(key)))
      .map(({ name }) => name);
    for (const line of missingColumnLines(columns, names, options.table)) problems.addAfter(line);
  }
  problems.throwIfAny();

  const requests = new RequestList();
  const tensors = inputs.flatMap((input) => mapTensor(input, matches, byName, requests, options));
  if (tensors.length === 0) {
    problems.add("no column of the table feeds any input of the model, all of which are optional");
    problems.throwIfAny();
  }
  const constant = new Set(columns.filter(({ isPartition }) => isPartition).map(({ name }) => name));
  const keep = kept.map((name) => ({ name, vectorIndex: requests.indexOf(keptRequest(name, options)) }));
  return {
    tensors,
    requests: requests.list,
    keep,
    joined: options.joinColumns ? joinTexts(tensors, requests.list, constant) : undefined,
    lines: mappingLines(inputs, matches),
    surplus: columns.map(({ name }) => name).filter((name) => !used.has(name)),
  };
}

function keptRequest(name: string, { keepAs }: MappingOptions): ColumnRequest {
  const as = keepAs?.get(name);
  return as === undefined ? { name } : { name, as };
}

/** Columns are read by their names: one whose name stands twice can be neither scored nor kept, whatever flags say. */
function checkRepeated(
  used: ReadonlySet<string>,
  columns: readonly TableColumn[],
  problems: TableProblems,
): void {
  const counts = new Map<string, number>();
  for (const { name } of columns) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const [name, count] of counts) {
    if (count === 1 || !used.has(name)) continue;
    problems.add(
      `${count} columns of the table are called ${JSON.stringify(name)}, and no flag can say which is meant: give one another name in ` +
        `the file, or with --input "sql:SELECT … AS …" (in a query over the file, DuckDB calls the second ${JSON.stringify(`${name}_1`)})`,
    );
  }
}

function checkTypes(
  inputs: readonly InputElements[],
  matches: ReadonlyMap<string, ElementMatch>,
  byName: ReadonlyMap<string, TableColumn>,
  options: MappingOptions,
  problems: TableProblems,
): void {
  for (const input of inputs) {
    for (const { key, name } of input.elements) {
      const column = byName.get(matches.get(key)?.column ?? "");
      if (column === undefined) continue;
      const fault = kindFault(column, input.datatype, options.textNumbers);
      if (fault === undefined) continue;
      const where = `column ${JSON.stringify(column.name)} is ${column.type}`;
      problems.add(`${where} and cannot feed ${JSON.stringify(name)} (${input.datatype}): ${fault}`);
    }
  }
}

function mapTensor(
  input: InputElements,
  matches: ReadonlyMap<string, ElementMatch>,
  byName: ReadonlyMap<string, TableColumn>,
  requests: RequestList,
  { joinColumns }: MappingOptions,
): MappedTensor[] {
  if (input.elements.length === 0 || !input.elements.every(({ key }) => matches.has(key))) return [];
  const { name, datatype, tailShape } = input;
  const names = input.elements.map(({ key }) => matches.get(key)!.column);
  const kinds = names.map((column) => columnKind(byName.get(column)!.type));
  if (joinColumns && datatype === "FP32" && names.length > 1 && kinds.every((kind) => kind === "float")) {
    const packedIndex = requests.indexOf({ name: "", packedFloats: names });
    const columns = input.elements.map((element, at) => ({
      element: element.name,
      column: names[at]!,
      kind: kinds[at]!,
      vectorIndex: packedIndex,
    }));
    return [{ name, datatype, tailShape, columns, packedIndex }];
  }
  const columns = input.elements.map((element, at) => {
    const column = names[at]!;
    const kind = kinds[at]!;
    const request = kind === "wide" ? { name: column, asDouble: true } : { name: column };
    return { element: element.name, column, kind, vectorIndex: requests.indexOf(request) };
  });
  return [{ name, datatype, tailShape, columns }];
}

/** Asks for the middling texts of all text columns in one vector more; of a single column they are as cheap to read alone. */
function joinTexts(
  tensors: readonly MappedTensor[],
  requests: ColumnRequest[],
  constant: ReadonlySet<string>,
): ColumnMapping["joined"] {
  const texts = tensors.flatMap(({ columns }) =>
    columns.filter(({ column, kind }) => (kind === "text" || kind === "json") && !constant.has(column)),
  );
  const columns = [...new Set(texts.map(({ column }) => column))];
  if (columns.length < 2) return undefined;
  return { columns, vectorIndex: requests.push({ name: "", joinedTexts: columns }) - 1 };
}

/** Requests without repetition, with their positions. */
class RequestList {
  readonly list: ColumnRequest[] = [];
  readonly #positions = new Map<string, number>();

  indexOf(request: ColumnRequest): number {
    const key = JSON.stringify(request);
    let position = this.#positions.get(key);
    if (position === undefined) {
      position = this.list.push(request) - 1;
      this.#positions.set(key, position);
    }
    return position;
  }
}
