import type { InferenceSession } from "onnxruntime-node";
import { messageOf } from "../../errors.ts";
import type { TreeKernelUse } from "../../model/prepared-model.ts";
import { TreeError } from "../../model/trees/tree-ensemble.ts";
import { readTreeGraph, type TreeGraph } from "../../model/trees/tree-graph.ts";
import type { SessionStart } from "../channel.ts";
import { deviceName } from "../device.ts";
import { splitTrees } from "../kernel/split-trees.ts";
import { cleanOrtMessage } from "../session/ort-failure.ts";
import { createSession } from "../session/session.ts";
import { checkTrees } from "./tree-check.ts";
import { TreeRunner } from "./tree-runner.ts";
import { TreeSession } from "./tree-session.ts";

/** Makes a runner of a model's trees, or says why ONNX Runtime runs the model; `start` has the session's names. */
export async function openTrees(
  start: SessionStart,
  goldenRows: NonNullable<SessionStart["treeRows"]>,
): Promise<{ readonly runner: TreeRunner | undefined; readonly use: TreeKernelUse }> {
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
    return { runner, use: runner.treeKernel };
  } catch (error) {
    await head?.release();
    // Whatever is wrong with the model is told by the session that is made of all of it.
    const reason =
      error instanceof TreeError
        ? error.message
        : `the model's trees cannot be taken apart: ${cleanOrtMessage(messageOf(error))}`;
    return { runner: undefined, use: { isUsed: false, reason } };
  }
}

async function openHead(start: SessionStart, { head }: TreeGraph): Promise<InferenceSession | undefined> {
  return head === undefined ? undefined : await createSession({ ...start, ...head });
}
