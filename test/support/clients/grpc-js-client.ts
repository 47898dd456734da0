import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** A message as proto-loader gives it, with names kept. */
export type LoadedMessage = Record<string, unknown>;

/** What grpc-js makes of the service when it loads the .proto itself. */
export interface LoadedScoringClient extends grpc.Client {
  Predict(
    request: LoadedMessage,
    options: grpc.CallOptions,
    done: (error: grpc.ServiceError | null, response?: LoadedMessage) => void,
  ): grpc.ClientUnaryCall;
  PredictStream(): grpc.ClientDuplexStream<LoadedMessage, LoadedMessage>;
  PredictRows(request: LoadedMessage): grpc.ClientReadableStream<LoadedMessage>;
}

const proto = fileURLToPath(new URL("../../../proto", import.meta.url));

/** A grpc-js client made from the .proto file at run time; the caller closes it. */
export function loadScoringClient(address: string): LoadedScoringClient {
  const definition = loadSync("assay/v1/scoring_service.proto", {
    includeDirs: [proto],
    keepCase: true,
    defaults: true,
    oneofs: true,
    longs: String,
  });
  const loaded = grpc.loadPackageDefinition(definition) as unknown as {
    assay: {
      v1: {
        ScoringService: new (address: string, credentials: grpc.ChannelCredentials) => LoadedScoringClient;
      };
    };
  };
  return new loaded.assay.v1.ScoringService(address, grpc.credentials.createInsecure());
}

/** One unary call as a promise; rejects with grpc-js's ServiceError. */
export function predict(
  client: LoadedScoringClient,
  request: LoadedMessage,
  options: grpc.CallOptions = {},
): Promise<LoadedMessage> {
  return new Promise((resolve, reject) => {
    client.Predict(request, options, (error, response) =>
      error === null ? resolve(response!) : reject(error),
    );
  });
}
