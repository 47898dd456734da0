/** The body of KServe v1 and of TensorFlow Serving's REST API: `instances`, a row each, or `inputs`, a column each. */
import { counted } from "../../wording/counted.ts";
import { didYouMean } from "../../wording/nearest-name.ts";
import { shownValue } from "../json/json-faults.ts";
import type { ExactJson } from "../json/json-text.ts";
import { isObject } from "../json/model-element.ts";
import type { BodyReading, Predictions } from "./foreign-decoding.ts";

const ROWS = "instances";
const COLUMNS = "inputs";
const SIGNATURE = "signature_name";
const MEMBERS = [ROWS, COLUMNS, SIGNATURE];
/** A signature of TensorFlow's is a named way to call a model, with outputs of its own. */
const SIGNATURES: Readonly<Record<string, Predictions>> = {
  "": undefined,
  serving_default: undefined,
  scores: "scores",
  labels: "labels",
  outputs: "outputs",
};

/** Reads a parsed body. */
export function* readV1(json: ExactJson, reading: BodyReading): Generator<undefined, void> {
  const { faults, rows } = reading;
  if (!isObject(json)) {
    faults.add("", `${shownValue(json)} came; an object with "instances" is expected`, "json.object");
    return;
  }
  reading.refuseUnknown(json, MEMBERS, "");
  reading.predictions = readSignature(json[SIGNATURE] ?? "", reading);
  const { [ROWS]: instances, [COLUMNS]: inputs } = json;
  if (instances !== undefined && inputs !== undefined) {
    faults.add(
      "",
      "instances and inputs came; send rows as instances, or columns as inputs",
      "json.one_form",
    );
  } else if (instances !== undefined) yield* rows.rows(instances, ROWS);
  else if (inputs === undefined) faults.add("", "no instances came", "json.missing");
  else {
    reading.isColumnar = true;
    if (isObject(inputs)) yield* rows.columns(inputs, COLUMNS);
    else yield* rows.tensor(inputs, COLUMNS);
  }
}

function readSignature(value: ExactJson, { faults }: BodyReading): Predictions {
  if (typeof value === "string" && Object.hasOwn(SIGNATURES, value)) return SIGNATURES[value];
  const names = Object.keys(SIGNATURES).filter((name) => name !== "");
  const what = `${shownValue(value)} came; there are ${counted(names.length, "signature")}: ${names.join(", ")}${typeof value === "string" ? didYouMean(value, names) : ""}`;
  faults.add(SIGNATURE, what, "json.signature");
  return undefined;
}
