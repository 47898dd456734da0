import { quoted, refusal } from "../refusal.ts";
import { elementBits, elementTypeName } from "./element-type.ts";
import type { StoredTensor } from "./onnx-outline.ts";

/** Values that lie in another file of the version folder. */
export interface ExternalTensor {
  readonly name: string;
  /** As the graph names it, relative to the folder. */
  readonly location: string;
  readonly offset: number;
  readonly byteLength: number;
}

/** Tensors larger than this are taken for damage. */
const MAX_TENSOR_BYTES = 2 ** 40;

/**
 * Checks what stored tensors declare against what lies there, and lists those that lie in other files. Throws
 * MODEL_INVALID for sizes that do not fit, and for locations that are not plainly inside the folder.
 */
export function checkStoredTensors(tensors: readonly StoredTensor[]): ExternalTensor[] {
  const external: ExternalTensor[] = [];
  for (const tensor of tensors) {
    const expected = declaredBytes(tensor);
    if (tensor.external !== undefined) external.push(readExternal(tensor, tensor.external, expected));
    else if (tensor.rawBytes !== undefined && expected !== undefined && tensor.rawBytes !== expected) {
      throw refusal(
        `${described(tensor)} takes ${expected} bytes and ${tensor.rawBytes} came: the file is damaged, copy or export it again`,
      );
    }
  }
  return external;
}

function declaredBytes(tensor: StoredTensor): number | undefined {
  const bits = elementBits(tensor.elementType);
  const bytes = Math.ceil((tensor.dims.reduce((product, length) => product * length, 1) * bits) / 8);
  if (bytes > MAX_TENSOR_BYTES || tensor.dims.some((length) => length > MAX_TENSOR_BYTES)) {
    throw refusal(`${described(tensor)} takes more than 1 TiB: the file is damaged, copy or export it again`);
  }
  return bits === 0 ? undefined : bytes;
}

function readExternal(
  tensor: StoredTensor,
  external: ReadonlyMap<string, string>,
  expected: number | undefined,
): ExternalTensor {
  const location = external.get("location") ?? "";
  const outside = /^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|\0/.test(location);
  if (location === "" || location.startsWith("*/") || outside) {
    throw refusal(
      `weight ${quoted(tensor.name)} names ${location === "" ? "no file" : `the file ${quoted(location)}`} as its place; expected a file inside the version folder: ` +
        "save the model again with its weights beside it (onnx.save with save_as_external_data and a plain location), or inside it",
    );
  }
  if (!tensor.isInitializer) {
    throw refusal(
      `the value ${quoted(tensor.name)} of a node lies in the external file ${quoted(location)}; only weights (initializers) may: save the model again with this value inside it`,
    );
  }
  const offset = Number(external.get("offset") ?? "0");
  const byteLength = Number(external.get("length") ?? expected ?? 0);
  const sound = Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(byteLength);
  if (!sound || byteLength < 0 || (expected !== undefined && byteLength !== expected)) {
    throw refusal(
      `${described(tensor)} takes ${expected ?? "some"} bytes and declares ${external.get("length") ?? byteLength} at offset ${external.get("offset") ?? 0} of ${quoted(location)}: the file is damaged`,
    );
  }
  return { name: tensor.name, location, offset, byteLength };
}

function described(tensor: StoredTensor): string {
  const dims = tensor.dims.slice(0, 8).join(",");
  return `weight ${quoted(tensor.name)}, ${elementTypeName(tensor.elementType)}[${dims}],`;
}
