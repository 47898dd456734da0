import type { InferenceSession } from "onnxruntime-node";
import { messageOf } from "../../errors.ts";
import type { TreeKernelUse } from "../../model/prepared-model.ts";
import { TreeError } from "../../model/trees/tree-ensemble.ts";
import { readTreeGraph, type TreeGraph } from "../../model/trees/tree-graph.ts";
import type { SessionStart } from "../channel.ts";
import { deviceName } from "../device.ts";
import { splitTrees } from "../kernel/split-trees.ts";
import type { Runner } from "../runner.ts";
import { createSession } from "../session/session.ts";
import { openSessionRunner, withSessionNames } from "../session/session-runner.ts";
import { checkTrees } from "./tree-check.ts";
import { TreeRunner } from "./tree-runner.ts";
import { TreeSession } from "./tree-session.ts";

/**
 * Makes what runs a model in this thread: its trees run by Assay's own code where they may and give what ONNX Runtime does,
 * everything else by a session. Throws MODEL_INVALID or DEVICE_UNAVAILABLE.
 */
export async function openModelRunner(plan: SessionStart): Promise<Runner> {
  const start = withSessionNames(plan);
  if (start.treeRows === undefined) return await openSessionRunner(start, undefined);
  const opened = await openTrees(start, start.treeRows);
  return opened instanceof TreeRunner ? opened : await openSessionRunner(start, opened);
}

/** Says why ONNX Runtime runs the model where it does. */
async function openTrees(
  start: SessionStart,
  goldenRows: NonNullable<SessionStart["treeRows"]>,
): Promise<TreeRunner | TreeKernelUse> {
  let head: InferenceSession | undefined;
  try {
    if (start.device.provider !== "cpu") throw new TreeError(`the session is on ${deviceName(start.device)}`);
    if (start.externalData.length > 0) throw new TreeError("the model's weights lie in files of their own");
    const graph = readTreeGraph(start.bytes);
    const split = splitTrees(graph.ensemble);
    const trees = new TreeSession(graph, split);
    head = await openHead(start, graph);
    const runner = new TreeRunner(trees, graph, start, head);
    await checkTrees({ runner, trees, graph, split, start, goldenRows });
    return runner;
  } catch (error) {
    await head?.release();
    if (error instanceof TreeError) return { isUsed: false, reason: error.message };
    // Whatever is wrong with the model is told by the session that is made of all of it.
    return { isUsed: false, reason: `the model's trees cannot be taken apart: ${messageOf(error)}` };
  }
}

async function openHead(start: SessionStart, { head }: TreeGraph): Promise<InferenceSession | undefined> {
  return head === undefined ? undefined : await createSession({ ...start, ...head });
}
