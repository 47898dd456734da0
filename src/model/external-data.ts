import { clone } from "@bufbuild/protobuf";
import { TensorProto_DataLocation, TensorProtoSchema } from "../../gen/onnx/onnx-ml_pb.ts";
import type { OnnxEdits } from "./onnx-edit.ts";
import type { OnnxOutline } from "./onnx-outline.ts";
import { refusal } from "./refusal.ts";
import type { ExternalTensor } from "./stored-tensors.ts";

/** A protobuf message holds less than 2 GiB; the rest of the file needs room too. */
const MAX_EXTERNAL_BYTES = 1_900_000_000;

/**
 * Takes weights that lie in other files of the folder into the protobuf, so that the runtime, which is given bytes, opens no
 * file at all. Throws MODEL_INVALID for more than fits.
 */
export function inlineExternalData(
  outline: OnnxOutline,
  external: readonly ExternalTensor[],
  edits: OnnxEdits,
  read: (location: string, offset: number, byteLength: number) => Uint8Array,
): void {
  const total = external.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (total > MAX_EXTERNAL_BYTES) {
    throw refusal(
      `the weights beside the file take ${total} bytes, at most ${MAX_EXTERNAL_BYTES} can be served: export the model in a smaller type (float16)`,
    );
  }
  const initializers = new Map(outline.model.graph?.initializer.map((tensor) => [tensor.name, tensor]));
  for (const { name, location, offset, byteLength } of external) {
    const tensor = initializers.get(name);
    if (tensor === undefined) {
      throw refusal(
        `weight ${JSON.stringify(name)} of a subgraph lies in ${JSON.stringify(location)}; only the main graph's weights may: save the model again with this one inside it`,
      );
    }
    // An input that was opened has no stored value any more.
    if (edits.initializers.has(name)) continue;
    const inlined = clone(TensorProtoSchema, tensor);
    inlined.externalData = [];
    inlined.dataLocation = TensorProto_DataLocation.DEFAULT;
    inlined.rawData = read(location, offset, byteLength);
    edits.initializers.set(name, inlined);
  }
}
