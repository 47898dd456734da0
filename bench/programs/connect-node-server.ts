/** Predict as Connect's own handlers serve it in Node, with a score that takes no model. Prints its port. */
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { create } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { PredictResponseSchema, ScoringService } from "../../gen/assay/v1/scoring_service_pb.ts";

const server = createServer(
  connectNodeAdapter({
    routes: (router) => {
      router.service(ScoringService, {
        predict: ({ modelName, features }) =>
          create(PredictResponseSchema, { modelName, modelVersion: "1", scores: [features[0] ?? 0] }),
      });
    },
  }),
);
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
