import { create } from "@bufbuild/protobuf";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { type Tensor, type TensorContents, TensorContentsSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import type {
  InferTensorContents,
  ModelInferRequest,
  ModelInferRequest_InferInputTensor,
} from "../../../gen/inference/grpc_service_pb.ts";
import { AssayError } from "../../errors.ts";
import { TensorRequest } from "../../service/tensor-request.ts";
import { PackedContents } from "../../tensor/packed-contents.ts";
import {
  EMPTY_FINAL_RESPONSE,
  readOutputParameters,
  readParameters,
  refuseInputParameters,
} from "./parameters.ts";

const NO_OCTETS = new Uint8Array(0);

/** A request of the Open Inference Protocol: what is scored, and in what form its answer is wanted. */
export class InferRequest extends TensorRequest {
  /** Its tensors came as octets, beside their heads: so do those of the answer, alone. */
  isRaw = true;
  /** In a stream, each answer is to say whether it is the last for its request. */
  wantsFinal = false;
  /** So many of the highest classes are asked for in the place of an output's values; by the output's name. */
  topClasses: ReadonlyMap<string, number> | undefined = undefined;
  /** It stands for an item that was refused for this. */
  refusal: AssayError | undefined = undefined;

  /** Gives the inputs their octets, which came beside them, one entry an input. Throws INVALID_REQUEST. */
  takeRawContents(contents: readonly Uint8Array[]): void {
    const { inputs } = this;
    if (contents.length !== inputs.length) {
      throw invalid(
        "raw_input_contents",
        `${contents.length} entries came for ${inputs.length} inputs; each input has one, in their order`,
        "tensor.raw_entries",
      );
    }
    for (let i = 0; i < inputs.length; i++) inputs[i]!.rawContents = contents[i]!;
  }
}

/** Reads a request from its message. Throws INVALID_REQUEST, and UNIMPLEMENTED for what the server has not. */
export function inferRequest(message: ModelInferRequest): InferRequest {
  const request = new InferRequest();
  request.modelName = message.modelName;
  request.modelVersion = message.modelVersion;
  request.requestId = message.id;
  readParameters(message.parameters, request);
  request.wantsFinal = message.parameters[EMPTY_FINAL_RESPONSE]?.parameterChoice.value === true;
  const { inputs, outputs, rawInputContents } = message;
  request.isRaw = rawInputContents.length > 0 || inputs.length === 0;
  for (let i = 0; i < inputs.length; i++) {
    refuseInputParameters(inputs[i]!.parameters, `inputs[${i}].parameters`);
    request.inputs.push(tensorOf(inputs[i]!, i, request.isRaw));
  }
  if (request.isRaw) request.takeRawContents(rawInputContents);
  if (outputs.length > 0) {
    request.outputNames = outputs.map(({ name }) => name);
    request.topClasses = readOutputParameters(outputs);
  }
  return request;
}

function tensorOf(
  { name, datatype, shape, contents }: ModelInferRequest_InferInputTensor,
  index: number,
  isRaw: boolean,
): Tensor {
  const tensor: Tensor = { $typeName: "assay.v1.Tensor", name, datatype, shape, rawContents: NO_OCTETS };
  if (!isRaw) {
    // Without any it has none of the values that its shape takes, rather than none of the octets.
    tensor.contents = contents === undefined ? create(TensorContentsSchema) : contentsOf(contents);
  } else if (contents !== undefined && hasValues(contents)) {
    throw invalid(
      `inputs[${index}].contents`,
      "values came here, and raw_input_contents came too; send one of them",
      "tensor.one_form",
    );
  }
  return tensor;
}

/** The two messages have the same fields. */
function contentsOf(contents: InferTensorContents): TensorContents {
  if (contents instanceof PackedContents) return contents;
  const { $typeName: _, ...fields } = contents;
  return { ...fields, $typeName: "assay.v1.TensorContents" };
}

function hasValues({ $typeName: _, $unknown: __, ...lists }: InferTensorContents): boolean {
  return Object.values(lists).some((list) => list.length > 0);
}

function invalid(field: string, description: string, rule: string): AssayError {
  return new AssayError(Reason.INVALID_REQUEST, `${field}: ${description}`, {
    violations: [{ field, description, rule }],
  });
}
