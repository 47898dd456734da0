import { type DescService, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { file_google_rpc_error_details } from "../../../gen/google/rpc/error_details_pb.ts";
import {
  ServerReflection,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  ServerReflectionRequestSchema as AlphaRequestSchema,
  ServerReflectionResponseSchema as AlphaResponseSchema,
  ServerReflection as AlphaServerReflection,
} from "../../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { createReflection } from "./reflection.ts";

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
