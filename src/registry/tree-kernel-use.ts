import { TreeKernel } from "../../gen/assay/config/v1/model_config_pb.ts";
import type { ServerSettings } from "../config/server-settings.ts";
import type { PreparedModel, TreeKernelUse } from "../model/prepared-model.ts";
import type { TensorData } from "../tensor/tensor-data.ts";

/** Rows of golden cases that trees are compared by, at most. */
const MAX_GOLDEN_ROWS = 4_096;

/** The option of a pool by which Assay's own code may run a model's trees; none where it has none, or its config.json or the server says OFF. */
export function treeOptions(
  { config, goldenCases, hasTrees }: Pick<PreparedModel, "config" | "goldenCases" | "hasTrees">,
  settings: Pick<ServerSettings, "treeKernel">,
): { readonly treeRows?: readonly (readonly TensorData[])[] } {
  const isOff =
    config.treeKernel === TreeKernel.TREE_KERNEL_UNSPECIFIED
      ? settings.treeKernel === "off"
      : config.treeKernel === TreeKernel.OFF;
  if (isOff || !hasTrees) return {};
  let left = MAX_GOLDEN_ROWS;
  const treeRows = goldenCases.flatMap(({ inputs }) => {
    left -= inputs[0]?.shape[0] ?? 1;
    return left < 0 ? [] : [inputs];
  });
  return { treeRows };
}

/** What runs a model's trees, in one line. */
export function describeTreeKernel({ isUsed, reason }: TreeKernelUse): string {
  return isUsed ? `run by Assay: ${reason}` : `run by ONNX Runtime: ${reason}`;
}
