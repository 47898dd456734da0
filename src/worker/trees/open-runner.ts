import type { SessionStart } from "../channel.ts";
import type { Runner } from "../runner.ts";
import { openSessionRunner, withSessionNames } from "../session/session-runner.ts";

/**
 * Makes what runs a model in this thread: its trees run by Assay's own code where they may and give what ONNX Runtime does,
 * everything else by a session. Throws MODEL_INVALID or DEVICE_UNAVAILABLE.
 */
export async function openModelRunner(plan: SessionStart): Promise<Runner> {
  const start = withSessionNames(plan);
  if (start.treeRows === undefined) return await openSessionRunner(start, undefined);
  // Threads of other models do without it.
  const { openTrees } = await import("./open-trees.ts");
  const { runner, use } = await openTrees(start, start.treeRows);
  return runner ?? (await openSessionRunner(start, use));
}
