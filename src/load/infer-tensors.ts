/** A request's rows as tensors of the Open Inference Protocol, whichever form they came in. */
import type { Model, TensorSpec } from "../../gen/assay/v1/model_service_pb.ts";
import type { PredictRequest } from "../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../gen/assay/v1/tensor_pb.ts";
import {
  DATATYPE_NAMES,
  type Datatype,
  elementBytes,
  elementOf,
  isDatatype,
  isFloat,
  type NumericDatatype,
  numericView,
  rowOf,
} from "../tensor/datatype.ts";
import { elementCount, type TensorData } from "../tensor/tensor-data.ts";
import { invalidRequest } from "./bench-request.ts";

type Row = PredictRequest["rows"][number];

const LENGTH_BYTES = 4;

/** A tensor for each input of the request; `model` has to be known for `features` and `rows`. Throws CONFIG_INVALID where there can be none. */
export function inferTensors(
  { features, rows, inputs }: PredictRequest,
  model: Model | undefined,
): TensorData[] {
  if (inputs.length > 0) return inputs.map(givenTensor);
  if (model === undefined)
    throw invalidRequest("--request: inputs are expected where the model is not known");
  if (rows.length === 0) {
    const spec = model.inputs.find(({ optional }) => !optional);
    if (spec === undefined) throw invalidRequest(`--request: ${model.modelName} has no input for features`);
    return [tensorOf(spec.name, spec.datatype, [1, features.length], features)];
  }
  const brought = (spec: TensorSpec) =>
    !spec.optional || rows.some((row) => columnsOf(spec).some((name) => name in row));
  return model.inputs.filter(brought).map((spec) => columnTensor(spec, rows));
}

/** The columns of an input: those of a vector, or the input itself. */
function columnsOf({ name, featureNames }: TensorSpec): readonly string[] {
  return featureNames.length > 0 ? featureNames : [name];
}

function columnTensor(spec: TensorSpec, rows: readonly Row[]): TensorData {
  const columns = columnsOf(spec);
  const values = rows.flatMap((row) =>
    columns.map(
      (name) => row[name] ?? spec.aliases.map((alias) => row[alias]).find((value) => value != null),
    ),
  );
  const lengths = spec.shape.slice(1).map(Number);
  const shape = [rows.length, ...lengths.map((length) => (length === -1 ? columns.length : length))];
  return tensorOf(spec.name, spec.datatype, shape, values);
}

function givenTensor({ name, datatype, shape, contents, rawContents }: Tensor): TensorData {
  const lengths = shape.map(Number);
  if (contents !== undefined) {
    const field = isDatatype(datatype) ? rowOf(datatype).contents : undefined;
    const values: readonly unknown[] = field === undefined ? [] : contents[field];
    return tensorOf(name, datatype, lengths, values);
  }
  const type = known(name, datatype);
  if (type === "BYTES") return { name, datatype: type, shape: lengths, data: textsOf(rawContents) };
  // A view needs an offset that fits its elements.
  const { buffer } = new Uint8Array(rawContents);
  const data = numericView(type, buffer, 0, Math.floor(buffer.byteLength / elementBytes(type)));
  return counted({ name, datatype: type, shape: lengths, data });
}

function tensorOf(
  name: string,
  datatype: string,
  shape: readonly number[],
  values: readonly unknown[],
): TensorData {
  const type = known(name, datatype);
  if (type === "BYTES") return counted({ name, datatype: type, shape, data: values.map(textOf) });
  const data = numericView(type, new ArrayBuffer(values.length * elementBytes(type)), 0, values.length);
  for (const [index, value] of values.entries())
    (data as Float64Array)[index] = elementFor(type, name, value) as number;
  return counted({ name, datatype: type, shape, data });
}

function elementFor(datatype: NumericDatatype, name: string, value: unknown): number | bigint {
  if (isFloat(datatype)) {
    const number = typeof value === "number" ? value : value == null ? Number.NaN : Number(value);
    return elementOf(datatype, number);
  }
  try {
    return elementBytes(datatype) === 8 ? BigInt(value as bigint) : Number(value);
  } catch {
    throw invalidRequest(`--request: ${JSON.stringify(value)} came for ${name}, which takes ${datatype}`);
  }
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value ?? "");
}

function textsOf(octets: Uint8Array): string[] {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const texts: string[] = [];
  for (let at = 0; at + LENGTH_BYTES <= octets.length; ) {
    const end = at + LENGTH_BYTES + view.getUint32(at, true);
    texts.push(textOf(octets.subarray(at + LENGTH_BYTES, end)));
    at = end;
  }
  return texts;
}

function known(name: string, datatype: string): Datatype {
  if (isDatatype(datatype)) return datatype;
  throw invalidRequest(
    `--request: the datatype of ${name} is ${JSON.stringify(datatype)}; it is one of ${DATATYPE_NAMES.join(", ")}`,
  );
}

function counted(tensor: TensorData): TensorData {
  const { name, shape, data } = tensor;
  if (data.length === elementCount(shape)) return tensor;
  throw invalidRequest(
    `--request: ${name} has ${data.length} values, and its shape [${shape.join(",")}] takes ${elementCount(shape)}`,
  );
}
