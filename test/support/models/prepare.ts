import { prepareModel } from "../../../src/model/prepare-model.ts";
import type { PreparedModel } from "../../../src/model/prepared-model.ts";

/** Prepares bytes as `m/1/model.onnx`; throws the reason where they are refused. */
export function prepared(bytes: Uint8Array, configText?: string, goldenText?: string): PreparedModel {
  const found = prepareModel({
    modelName: "m",
    modelVersion: "1",
    bytes,
    configText,
    goldenText,
    testDataCases: [],
    findExternal: (location) => ({ path: `/nowhere/${location}`, byteLength: 0 }),
  });
  if (found.kind === "refused") throw new Error(found.reason);
  return found.model;
}

/** Why bytes are refused; throws where they are not. */
export function refusedReason(bytes: Uint8Array, configText?: string, goldenText?: string): string {
  try {
    prepared(bytes, configText, goldenText);
  } catch (cause) {
    return (cause as Error).message;
  }
  throw new Error("the model was not refused");
}
