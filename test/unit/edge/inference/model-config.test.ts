import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ModelSchema } from "../../../../gen/assay/v1/model_service_pb.ts";
import { ModelConfigSchema } from "../../../../gen/inference/model_config_pb.ts";
import { tritonModelConfig } from "../../../../src/edge/inference/model-config.ts";

const model = create(ModelSchema, { modelName: "m", modelVersion: "1", devices: ["cpu:0"] });

test("the version policy is what config.pbtxt says, its default where it says nothing, and all without it", () => {
  const policyOf = (written?: Parameters<typeof tritonModelConfig>[1]) =>
    tritonModelConfig(model, written).versionPolicy?.policyChoice;
  expect(policyOf()).toMatchObject({ case: "all" });
  expect(policyOf(create(ModelConfigSchema))).toMatchObject({ case: "latest", value: { numVersions: 1 } });
  const specific = { policyChoice: { case: "specific" as const, value: { versions: [2n] } } };
  expect(policyOf(create(ModelConfigSchema, { versionPolicy: specific }))).toMatchObject(
    specific.policyChoice,
  );
});
