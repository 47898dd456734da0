/** The JSON body of MLflow's scoring server: a DataFrame, or tensors as TensorFlow Serving takes them. */
import { didYouMean } from "../../wording/nearest-name.ts";
import { shownValue } from "../json/json-faults.ts";
import type { ExactJson, ExactObject } from "../json/json-text.ts";
import { isObject } from "../json/model-element.ts";
import type { BodyReading, Predictions } from "./foreign-decoding.ts";
import type { TablePlaces } from "./request-rows.ts";

const SPLIT = "dataframe_split";
const RECORDS = "dataframe_records";
const INPUTS = "inputs";
const INSTANCES = "instances";
const PARAMS = "params";
const FORMS = [SPLIT, RECORDS, INPUTS, INSTANCES];
const MEMBERS = [...FORMS, PARAMS];
/** `index` is the name of each row, which no model sees; pandas writes the last two with `orient="tight"`. */
const SPLIT_MEMBERS = ["columns", "data", "index", "index_names", "column_names"];
const PREDICTIONS: readonly string[] = ["scores", "labels", "outputs"];

/** Reads a parsed body. */
export function* readMlflow(json: ExactJson, reading: BodyReading): Generator<undefined, void> {
  const { faults, rows } = reading;
  // As pandas writes it, and MLflow took it before its version 2.
  if (Array.isArray(json)) yield* rows.rows(json, "");
  else if (!isObject(json)) {
    const what = `${shownValue(json)} came; an object with one of ${FORMS.join(", ")} is expected`;
    faults.add("", what, "json.object");
  } else if (isSplit(json)) yield* readSplit(json, "", reading);
  else {
    reading.refuseUnknown(json, MEMBERS, "");
    reading.predictions = readParams(json[PARAMS] ?? null, reading);
    const [form, other] = FORMS.filter((name) => Object.hasOwn(json, name));
    if (form === undefined)
      faults.add("", `none of ${FORMS.join(", ")} came; one is expected`, "json.missing");
    else if (other !== undefined) {
      faults.add(
        "",
        `${form} and ${other} came; exactly one of ${FORMS.join(", ")} is expected`,
        "json.one_form",
      );
    } else yield* readForm(form, json[form] as ExactJson, reading);
  }
}

function* readForm(form: string, value: ExactJson, reading: BodyReading): Generator<undefined, void> {
  const { faults, rows } = reading;
  if (form === SPLIT) {
    if (isObject(value)) yield* readSplit(value, SPLIT, reading);
    else
      faults.add(
        SPLIT,
        `${shownValue(value)} came; an object with columns and data is expected`,
        "json.object",
      );
  } else if (form === INPUTS) {
    if (isObject(value)) yield* rows.columns(value, INPUTS);
    else yield* rows.tensor(value, INPUTS);
  } else if (form === INSTANCES && isObject(value)) yield* rows.columns(value, INSTANCES);
  else yield* rows.rows(value, form);
}

/** A DataFrame as `to_json(orient="split")` writes it. */
function isSplit(json: ExactObject): boolean {
  return Array.isArray(json.data) && Object.keys(json).every((name) => SPLIT_MEMBERS.includes(name));
}

function* readSplit(json: ExactObject, place: string, reading: BodyReading): Generator<undefined, void> {
  const { faults, rows } = reading;
  const at = (member: string) => (place === "" ? member : `${place}.${member}`);
  const { columns = null, data } = json;
  reading.refuseUnknown(json, SPLIT_MEMBERS, place);
  if (!Array.isArray(data)) {
    const came = data === undefined ? "nothing" : shownValue(data);
    faults.add(
      at("data"),
      `${came} came; a list with a list of values for each row is expected`,
      "json.list",
    );
    return;
  }
  if (columns !== null && !Array.isArray(columns)) {
    faults.add(at("columns"), `${shownValue(columns)} came; a list of names is expected`, "json.list");
    return;
  }
  yield* rows.table(columns ?? undefined, data, new SplitPlaces(at("columns"), at("data")));
}

class SplitPlaces implements TablePlaces {
  readonly header: string;
  readonly rows: string;

  constructor(header: string, rows: string) {
    this.header = header;
    this.rows = rows;
  }

  name(index: number): string {
    return `${this.header}[${index}]`;
  }

  row(index: number): string {
    return `${this.rows}[${index}]`;
  }

  value(row: number, index: number): string {
    return `${this.rows}[${row}][${index}]`;
  }

  cell(row: number, _column: string, index: number): string {
    return this.value(row, index);
  }
}

/** MLflow gives parameters to the models that know them, and leaves the rest unread. */
function readParams(params: ExactJson, { faults }: BodyReading): Predictions {
  if (params === null) return undefined;
  if (!isObject(params)) {
    faults.add(PARAMS, `${shownValue(params)} came; an object is expected`, "json.object");
    return undefined;
  }
  const { predictions = null } = params;
  if (predictions === null) return undefined;
  if (typeof predictions === "string" && PREDICTIONS.includes(predictions)) return predictions as Predictions;
  const hint = typeof predictions === "string" ? didYouMean(predictions, PREDICTIONS) : "";
  const what = `${shownValue(predictions)} came; ${PREDICTIONS.join(", ")} are there${hint}`;
  faults.add(`${PARAMS}.predictions`, what, "json.predictions");
  return undefined;
}
