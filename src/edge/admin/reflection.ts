/**
 * What gRPC server reflection answers, as a pure function over descriptors: the public services' files, with all that they
 * import, and the files of error details, which clients look up by the name that an Any brings.
 */
import {
  create,
  createRegistry,
  type DescFile,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { file_google_rpc_error_details } from "../../../gen/google/rpc/error_details_pb.ts";
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  ServerReflectionRequestSchema as AlphaRequestSchema,
  ServerReflectionResponseSchema as AlphaResponseSchema,
  ServerReflection as AlphaServerReflection,
} from "../../../gen/grpc/reflection/v1alpha/reflection_pb.ts";

/** Answers reflection requests about `services` and the messages in `details`. */
export function createReflection(
  services: readonly DescService[],
  details: readonly DescFile[],
): (request: ServerReflectionRequest) => ServerReflectionResponse {
  const files = new Map<string, DescFile>();
  for (const file of [...services.map((service) => service.file), ...details]) collect(file, files);
  const registry = createRegistry(...files.values());
  const names = services.map((service) => service.typeName).sort();
  return (request) =>
    create(ServerReflectionResponseSchema, {
      validHost: request.host,
      originalRequest: request,
      messageResponse: answer(request.messageRequest, names, files, registry),
    });
}

function answer(
  asked: ServerReflectionRequest["messageRequest"],
  names: readonly string[],
  files: ReadonlyMap<string, DescFile>,
  registry: Registry,
): NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]> {
  switch (asked.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: names.map((name) => ({ name })) } };
    case "fileByFilename":
      return fileAnswer(files.get(asked.value), `no file ${JSON.stringify(asked.value)}`);
    case "fileContainingSymbol":
      return fileAnswer(symbolFile(registry, asked.value), `no symbol ${JSON.stringify(asked.value)}`);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = asked.value;
      const extension = extensions(registry, containingType).find(({ number }) => number === extensionNumber);
      return fileAnswer(
        extension?.file,
        `no extension ${extensionNumber} of ${JSON.stringify(containingType)}`,
      );
    }
    case "allExtensionNumbersOfType": {
      if (registry.getMessage(asked.value) === undefined)
        return notFound(`no message ${JSON.stringify(asked.value)}`);
      const numbers = extensions(registry, asked.value).map(({ number }) => number);
      return {
        case: "allExtensionNumbersResponse",
        value: { baseTypeName: asked.value, extensionNumber: numbers },
      };
    }
    default:
      return errorAnswer(
        Code.InvalidArgument,
        "the request asks for nothing: set one field of message_request",
      );
  }
}

function fileAnswer(file: DescFile | undefined, missing: string) {
  if (file === undefined) return notFound(missing);
  const found = new Map<string, DescFile>();
  collect(file, found);
  const fileDescriptorProto = [...found.values()]
    .reverse()
    .map((each) => toBinary(FileDescriptorProtoSchema, each.proto));
  return { case: "fileDescriptorResponse" as const, value: { fileDescriptorProto } };
}

function notFound(message: string) {
  return errorAnswer(Code.NotFound, message);
}

function errorAnswer(errorCode: Code, errorMessage: string) {
  return { case: "errorResponse" as const, value: { errorCode, errorMessage } };
}

/** Adds a file after everything that it imports. */
function collect(file: DescFile, files: Map<string, DescFile>): void {
  if (files.has(file.proto.name)) return;
  for (const dependency of file.dependencies) collect(dependency, files);
  files.set(file.proto.name, file);
}

function symbolFile(registry: Registry, symbol: string): DescFile | undefined {
  const name = symbol.startsWith(".") ? symbol.slice(1) : symbol;
  const whole = registry.get(name);
  if (whole !== undefined) return whole.file;
  // Methods, fields, enum values: the symbol's parent has the file.
  const dot = name.lastIndexOf(".");
  if (dot === -1) return undefined;
  const parent = registry.get(name.slice(0, dot));
  const member = name.slice(dot + 1);
  switch (parent?.kind) {
    case "service":
      return parent.methods.some((method) => method.name === member) ? parent.file : undefined;
    case "message":
      return [...parent.fields, ...parent.oneofs].some((field) => field.name === member)
        ? parent.file
        : undefined;
    case "enum":
      return parent.values.some((value) => value.name === member) ? parent.file : undefined;
    default:
      return undefined;
  }
}

function extensions(registry: Registry, typeName: string) {
  const found = [];
  for (const type of registry) {
    if (type.kind === "extension" && type.extendee.typeName === typeName) found.push(type);
  }
  return found;
}

/** Routes reflection v1, and v1alpha for clients that still ask for it: its messages are the same on the wire. */
export function reflectionRoutes(router: ConnectRouter, services: readonly DescService[]): void {
  const reflect = createReflection(services, [file_google_rpc_error_details]);
  router.service(ServerReflection, {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) yield reflect(request);
    },
  });
  router.service(AlphaServerReflection, {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        const v1 = fromBinary(ServerReflectionRequestSchema, toBinary(AlphaRequestSchema, request));
        yield fromBinary(AlphaResponseSchema, toBinary(ServerReflectionResponseSchema, reflect(v1)));
      }
    },
  });
}
