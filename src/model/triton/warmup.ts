import type { ModelWarmup, ModelWarmup_Input } from "../../../gen/inference/model_config_pb.ts";
import { DataTypeSchema } from "../../../gen/inference/model_config_pb.ts";
import { elementBytes, numericView } from "../../tensor/datatype.ts";
import { elementCount, type TensorData } from "../../tensor/tensor-data.ts";
import { didYouMean } from "../../wording/nearest-name.ts";
import { type ConfigMistakes, type ConfigPath, createConfigMistakes } from "../config/config-mistakes.ts";
import { madeUpInput } from "../gate/probe-rows.ts";
import { quoted } from "../refusal.ts";
import { hasRows, type ModelSignature, rowShape, type TensorSpec } from "../signature.ts";
import type { TritonFiles } from "./side-files.ts";
import { TRITON_CONFIG } from "./triton-config.ts";

/** A request that every instance runs before it takes others. */
export interface WarmupSample {
  readonly name: string;
  readonly inputs: readonly TensorData[];
  /** How many times it is run. */
  readonly count: number;
}

const MAX_SAMPLE_BYTES = 256 * 2 ** 20;

/** Makes the samples of model_warmup for a signature; throws MODEL_INVALID with all that do not fit it. */
export function warmupSamples(files: TritonFiles, signature: ModelSignature): WarmupSample[] {
  const mistakes = createConfigMistakes(files.config.lineOf, TRITON_CONFIG);
  // Triton passes over samples without a batch_size.
  const asked = [...files.config.message.modelWarmup.entries()].filter(([, { batchSize }]) => batchSize > 0);
  const samples = asked.map(([index, sample]) => ({
    name: sample.name === "" ? String(index) : sample.name,
    inputs: sampleInputs(sample, ["model_warmup", index], files, signature, mistakes),
    count: Math.max(1, sample.count),
  }));
  mistakes.throwIfAny();
  return samples;
}

function sampleInputs(
  { inputs, batchSize }: ModelWarmup,
  path: ConfigPath,
  files: TritonFiles,
  signature: ModelSignature,
  mistakes: ConfigMistakes,
): TensorData[] {
  const names = signature.inputs.map(({ name }) => name);
  for (const name of Object.keys(inputs)) {
    if (names.includes(name)) continue;
    const hint = didYouMean(name, names) || `; it has ${names.map(quoted).join(", ")}`;
    mistakes.add([...path, "inputs"], `the model has no input ${quoted(name)}${hint}`);
  }
  // Where a run takes one row, so does the sample's.
  const rows = signature.batching === "single-rows" ? 1 : batchSize;
  return signature.inputs.flatMap((spec) => {
    const input = Object.hasOwn(inputs, spec.name) ? inputs[spec.name] : undefined;
    if (input === undefined) {
      if (spec.defaultValue === undefined)
        mistakes.add(
          [...path, "inputs"],
          `input ${quoted(spec.name)} is missing: say what a first run brings for it`,
        );
      return [];
    }
    const made = sampleInput(spec, input, rows, files, signature);
    if (typeof made !== "string") return [made];
    mistakes.add([...path, "inputs"], `input ${quoted(spec.name)}: ${made}`);
    return [];
  });
}

function sampleInput(
  spec: TensorSpec,
  { dataType, dims, inputDataType }: ModelWarmup_Input,
  rows: number,
  files: TritonFiles,
  signature: ModelSignature,
): TensorData | string {
  const type = (DataTypeSchema.value[dataType]?.name ?? "").replace("TYPE_STRING", "TYPE_BYTES");
  if (type !== `TYPE_${spec.datatype}`)
    return `data_type ${DataTypeSchema.value[dataType]?.name ?? dataType} came, and the model takes ${spec.datatype}`;
  const lengths = dims.map(Number);
  const expected = rowShape(spec, signature);
  const fits =
    spec.anyShape === true ||
    (lengths.length === expected.length &&
      lengths.every((length, axis) => expected[axis] === -1 || expected[axis] === length));
  if (!fits || lengths.some((length) => length < 0))
    return `dims [${lengths.join(",")}] came; expected [${expected.join(",")}] with a length for each -1`;
  const shape = hasRows(signature) ? [rows, ...lengths] : lengths;
  const count = elementCount(shape);
  const { name, datatype } = spec;
  if (count * (datatype === "BYTES" ? 1 : elementBytes(datatype)) > MAX_SAMPLE_BYTES)
    return `[${shape.join(",")}] takes more than ${MAX_SAMPLE_BYTES} bytes`;
  if (inputDataType.case === undefined) return "zero_data, random_data or input_data_file is missing";
  if (inputDataType.case === "inputDataFile") {
    const octets = files.warmupData.get(inputDataType.value) ?? new Uint8Array();
    return fileInput(name, datatype, shape, octets, rows);
  }
  if (datatype === "BYTES") return { name, datatype, shape, data: new Array<string>(count).fill("") };
  if (inputDataType.case === "randomData") return madeUpInput({ ...spec, shape }, rows, signature);
  return {
    name,
    datatype,
    shape,
    data: numericView(datatype, new ArrayBuffer(count * elementBytes(datatype)), 0, count),
  };
}

/** One row's raw octets, the same for each row; or why they do not do. */
function fileInput(
  name: string,
  datatype: TensorSpec["datatype"],
  shape: readonly number[],
  octets: Uint8Array,
  rows: number,
): TensorData | string {
  const count = elementCount(shape);
  const inRow = count / rows;
  if (datatype === "BYTES") {
    const texts = lengthPrefixed(octets, inRow);
    return texts === undefined
      ? `input_data_file has ${octets.length} bytes, which are not ${inRow} texts with their length in 4 bytes in front`
      : { name, datatype, shape, data: Array.from({ length: rows }, () => texts).flat() };
  }
  const rowBytes = inRow * elementBytes(datatype);
  if (octets.length < rowBytes) return `input_data_file has ${octets.length} bytes; expected ${rowBytes}`;
  const all = new Uint8Array(rowBytes * rows);
  for (let row = 0; row < rows; row++) all.set(octets.subarray(0, rowBytes), row * rowBytes);
  return { name, datatype, shape, data: numericView(datatype, all.buffer, 0, count) };
}

function lengthPrefixed(octets: Uint8Array, count: number): string[] | undefined {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const texts: string[] = [];
  let at = 0;
  while (texts.length < count) {
    if (at + 4 > octets.length) return undefined;
    const end = at + 4 + view.getUint32(at, true);
    if (end > octets.length) return undefined;
    texts.push(new TextDecoder().decode(octets.subarray(at + 4, end)));
    at = end;
  }
  return texts;
}
