import { create, createFileRegistry, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { ModelService } from "../../../../gen/assay/v1/model_service_pb.ts";
import { ScoringService } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { ServerReflectionRequestSchema } from "../../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { createReflection } from "../../../../src/edge/admin/reflection.ts";

const reflect = createReflection([ScoringService, ModelService], []);
const ask = (
  messageRequest: MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"] & object,
) => reflect(create(ServerReflectionRequestSchema, { host: "h", messageRequest })).messageResponse;

function fileNames(symbol: string): string[] {
  const response = ask({ case: "fileContainingSymbol", value: symbol });
  if (response.case !== "fileDescriptorResponse") return [];
  return response.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

test("services are listed by name", () => {
  expect(ask({ case: "listServices", value: "" })).toMatchObject({
    value: { service: [{ name: "assay.v1.ModelService" }, { name: "assay.v1.ScoringService" }] },
  });
});

test("a file comes first, with all that it imports, so that a client can build it", () => {
  const response = ask({ case: "fileContainingSymbol", value: "assay.v1.ScoringService" });
  if (response.case !== "fileDescriptorResponse") throw new Error("no file came");
  const file = response.value.fileDescriptorProto.map((bytes) =>
    fromBinary(FileDescriptorProtoSchema, bytes),
  );
  expect(file[0]!.name).toBe("assay/v1/scoring_service.proto");
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: file.toReversed() }));
  expect(registry.getService("assay.v1.ScoringService")!.methods).toHaveLength(3);
});

test.each([
  ["assay.v1.ScoringService.Predict", "assay/v1/scoring_service.proto"],
  [".assay.v1.Tensor", "assay/v1/tensor.proto"],
  ["assay.v1.Tensor.shape", "assay/v1/tensor.proto"],
  ["assay.v1.ModelState", "assay/v1/model_service.proto"],
])("%s lies in %s", (symbol, name) => {
  expect(fileNames(symbol)[0]).toBe(name);
});

test("a file is found by its name, extensions by their number", () => {
  expect(ask({ case: "fileByFilename", value: "assay/v1/tensor.proto" }).case).toBe("fileDescriptorResponse");
  const numbers = ask({ case: "allExtensionNumbersOfType", value: "google.protobuf.FieldOptions" });
  expect(numbers).toMatchObject({ value: { extensionNumber: expect.arrayContaining([1159]) } });
  const value = { containingType: "google.protobuf.FieldOptions", extensionNumber: 1159 };
  expect(ask({ case: "fileContainingExtension", value }).case).toBe("fileDescriptorResponse");
});

test.each([
  { case: "fileByFilename", value: "none.proto" },
  { case: "fileContainingSymbol", value: "none.v1.Service" },
  { case: "fileContainingSymbol", value: "assay.v1.Tensor.none" },
  { case: "allExtensionNumbersOfType", value: "none.v1.Message" },
  { case: "fileContainingExtension", value: { containingType: "none.v1.Message", extensionNumber: 1 } },
] as const)("$case of what is not there is NOT_FOUND", (request) => {
  expect(ask(request)).toMatchObject({ case: "errorResponse", value: { errorCode: 5 } });
});
