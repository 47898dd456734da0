import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ModelSchema, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { banner } from "../../../src/cli/banner.ts";

const address = { host: "127.0.0.1", port: 1, encrypted: false };

test("an empty repository is named with the path that a model belongs at", () => {
  expect(banner("1", address, [], "my/models")).toContain(
    "Put a model at my/models/<name>/<version>/model.onnx and start again.",
  );
});

test("a line that is pasted into a shell keeps quotes in names", () => {
  const exampleRequest = { modelName: "it's", features: [1] };
  const model = create(ModelSchema, { modelName: "it's", state: ModelState.READY, exampleRequest });
  expect(banner("1", address, [model], "m")).toContain(`-d '{"model_name":"it'\\''s","features":[1]}'`);
});
