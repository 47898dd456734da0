import { create, toBinary } from "@bufbuild/protobuf";
import type { PredictResponse } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../../../gen/assay/v1/tensor_pb.ts";
import {
  ModelInferResponseSchema,
  ModelInferResponse_InferOutputTensorSchema as OutputSchema,
} from "../../../../gen/inference/grpc_service_pb.ts";
import { plainTag } from "../../../wire/plain-tag.ts";
import { fieldBytes, optionalBytes, varint64Bytes, type WireWriter } from "../../../wire/wire-writer.ts";
import type { InferRequest } from "../infer-request.ts";
import { type TypedContents, typedContentsOf } from "./typed-contents.ts";

const MODEL_NAME = plainTag(ModelInferResponseSchema, "modelName");
const MODEL_VERSION = plainTag(ModelInferResponseSchema, "modelVersion");
const ID = plainTag(ModelInferResponseSchema, "id");
const OUTPUTS = plainTag(ModelInferResponseSchema, "outputs");
const RAW_OUTPUT_CONTENTS = plainTag(ModelInferResponseSchema, "rawOutputContents");
const NAME = plainTag(OutputSchema, "name");
const DATATYPE = plainTag(OutputSchema, "datatype");
const SHAPE = plainTag(OutputSchema, "shape");
const CONTENTS = plainTag(OutputSchema, "contents");

/** The parameter of an answer that says that it is the last, as octets. */
export const FINAL = toBinary(
  ModelInferResponseSchema,
  create(ModelInferResponseSchema, {
    parameters: { triton_final_response: { parameterChoice: { case: "boolParam", value: true } } },
  }),
);

/** The parameter of an item's answer that says why it was refused, as octets. */
function reasonOctets(reason: string): Uint8Array {
  const parameters = { assay_reason: { parameterChoice: { case: "stringParam" as const, value: reason } } };
  return toBinary(ModelInferResponseSchema, create(ModelInferResponseSchema, { parameters }));
}

/** What a request is answered with: tensors in raw form. */
export interface InferAnswer {
  readonly request: Pick<InferRequest, "isRaw">;
  /** It is an item of a stream whose caller wants to be told that an answer is the last for its request, as each one is. */
  readonly saysFinal?: boolean;
  /** It is an item of a stream that was refused: the name of the reason, since Triton's stream has a text alone. */
  readonly reason?: string;
  readonly response: Pick<PredictResponse, "modelName" | "modelVersion" | "requestId" | "outputs">;
}

/** A ModelInferResponse, measured and then written where there is room; a property test holds it beside protobuf-es. */
export class MeasuredAnswer {
  /** Of the whole message. */
  readonly byteCount: number;
  private readonly answer: InferAnswer;
  private readonly nameBytes: number;
  private readonly versionBytes: number;
  private readonly idBytes: number;
  private readonly reason: Uint8Array | undefined;
  private readonly outputs: MeasuredOutput[] = [];

  constructor(answer: InferAnswer) {
    const { modelName, modelVersion, requestId, outputs } = answer.response;
    this.answer = answer;
    this.nameBytes = Buffer.byteLength(modelName);
    this.versionBytes = Buffer.byteLength(modelVersion);
    this.idBytes = requestId === "" ? 0 : Buffer.byteLength(requestId);
    this.reason = answer.reason === undefined ? undefined : reasonOctets(answer.reason);
    let byteCount = optionalBytes(this.nameBytes) + optionalBytes(this.versionBytes);
    byteCount += optionalBytes(this.idBytes) + (answer.saysFinal === true ? FINAL.length : 0);
    byteCount += this.reason?.length ?? 0;
    for (const output of outputs) {
      const measured = new MeasuredOutput(output, answer.request.isRaw);
      this.outputs.push(measured);
      byteCount += fieldBytes(measured.byteCount) + fieldBytes(measured.raw.length);
    }
    this.byteCount = byteCount;
  }

  write(writer: WireWriter): void {
    const { nameBytes, versionBytes, idBytes, outputs } = this;
    const { modelName, modelVersion, requestId } = this.answer.response;
    if (nameBytes > 0) writer.text(MODEL_NAME, modelName, nameBytes);
    if (versionBytes > 0) writer.text(MODEL_VERSION, modelVersion, versionBytes);
    if (idBytes > 0) writer.text(ID, requestId, idBytes);
    if (this.answer.saysFinal === true) writer.bytes(FINAL);
    if (this.reason !== undefined) writer.bytes(this.reason);
    for (const output of outputs) {
      writer.tagged(OUTPUTS, output.byteCount);
      output.write(writer);
    }
    for (const { raw } of outputs) writer.field(RAW_OUTPUT_CONTENTS, raw);
  }
}

class MeasuredOutput {
  readonly byteCount: number;
  /** Read once: of many texts it is made when it is read. */
  readonly raw: Uint8Array;
  private readonly tensor: Tensor;
  private readonly nameBytes: number;
  private readonly shapeBytes: number;
  private readonly contents: TypedContents | undefined;

  constructor(tensor: Tensor, isRaw: boolean) {
    this.tensor = tensor;
    this.raw = tensor.rawContents;
    this.nameBytes = Buffer.byteLength(tensor.name);
    let shapeBytes = 0;
    for (const length of tensor.shape) shapeBytes += varint64Bytes(length);
    this.shapeBytes = shapeBytes;
    this.contents = isRaw ? undefined : typedContentsOf(tensor.datatype, this.raw);
    this.byteCount =
      optionalBytes(this.nameBytes) +
      fieldBytes(tensor.datatype.length) +
      optionalBytes(shapeBytes) +
      (this.contents === undefined ? 0 : fieldBytes(this.contents.byteCount));
  }

  write(writer: WireWriter): void {
    const { tensor, nameBytes, shapeBytes, contents } = this;
    if (nameBytes > 0) writer.text(NAME, tensor.name, nameBytes);
    writer.text(DATATYPE, tensor.datatype, tensor.datatype.length);
    if (shapeBytes > 0) {
      writer.tagged(SHAPE, shapeBytes);
      for (const length of tensor.shape) writer.varint64(length);
    }
    if (contents === undefined) return;
    writer.tagged(CONTENTS, contents.byteCount);
    contents.write(writer);
  }
}
