import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { BatchingMode, type TensorSpec } from "../../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Caller } from "../../registry/caller.ts";
import type { ModelsService } from "../../registry/models.ts";
import { type Datatype, elementBytes } from "../../tensor/datatype.ts";
import { shownName, shownShape } from "../../wording/field-paths.ts";
import { type InferRequest, InferTensor } from "./infer-request.ts";

/**
 * Makes the request of a body that is nothing but the bytes of one row: the model has one input, and what is not told of its shape is the
 * length of one axis. All outputs are answered as binary data. Throws INVALID_REQUEST, and what an unknown model throws.
 */
export function rawRequest(
  request: InferRequest,
  bytes: Uint8Array,
  models: ModelsService,
  caller: Caller,
): void {
  const { model } = models.get(request.modelName, request.modelVersion, caller);
  const [input, ...others] = (model?.inputs ?? []).filter(({ optional }) => !optional);
  // A version that does not serve is told by whoever scores.
  if (model === undefined || (input === undefined && model.inputs.length === 0)) return;
  if (input === undefined || others.length > 0) {
    throw refused(
      `model ${shownName(request.modelName)} has ${model.inputs.length} inputs; a raw binary request takes a model with one`,
    );
  }
  const tensor = new InferTensor();
  tensor.name = input.name;
  tensor.datatype = input.datatype;
  if (input.datatype === "BYTES") {
    tensor.shape = shapeOf(input, 1, bytes.length, model.batching);
    tensor.rawContents = withLength(bytes);
  } else {
    const size = elementBytes(input.datatype as Datatype);
    tensor.shape = shapeOf(input, bytes.length / size, bytes.length, model.batching);
    tensor.rawContents = bytes;
  }
  request.inputs.push(tensor);
  request.isBinary = true;
}

/** Axis 0 is one row where it counts rows. */
function shapeOf(input: TensorSpec, elements: number, byteCount: number, batching: BatchingMode): bigint[] {
  const { name, datatype } = input;
  const shape = input.shape.map(Number);
  const spec = `${datatype}${shownShape(shape)}`;
  if (batching !== BatchingMode.NO_BATCH_DIMENSION && shape[0] === -1) shape[0] = 1;
  const open = shape.filter((length) => length === -1).length;
  if (open > 1) {
    throw refused(
      `input ${shownName(name)} takes ${spec}; a raw binary request takes an input with one open axis beside the rows`,
    );
  }
  const known = shape.reduce((product, length) => (length === -1 ? product : product * length), 1);
  const rest = open === 0 ? 1 : known === 0 ? 0 : elements / known;
  if (!Number.isInteger(rest) || (open === 0 && known !== elements)) {
    const takes =
      open === 0 ? `one row of input ${shownName(name)}, ${spec}` : `input ${shownName(name)}, ${spec}`;
    throw refused(`${byteCount} bytes came, which are not ${takes}`);
  }
  return shape.map((length) => BigInt(length === -1 ? rest : length));
}

/** The text is the whole body. */
function withLength(bytes: Uint8Array): Uint8Array {
  const octets = Buffer.allocUnsafeSlow(4 + bytes.length);
  octets.writeUInt32LE(bytes.length, 0);
  octets.set(bytes, 4);
  return octets;
}

function refused(description: string): AssayError {
  return new AssayError(Reason.INVALID_REQUEST, `body: ${description}`, {
    violations: [{ field: "", description, rule: "binary.raw_request" }],
  });
}
