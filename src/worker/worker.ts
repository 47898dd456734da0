/**
 * The worker owns one runner in a thread of its own, because ONNX Runtime's `run` blocks the thread it is called on.
 * Comes in: frames of inputs in shared memory. Goes out: frames of outputs, or a Reason and a text, in shared memory.
 * Promises: one run at a time; a run that fails does not end the worker; whatever else goes wrong ends the thread, which the
 * pool notices; EXIT frees the runner and ends the thread, also after a run that was given up long before.
 */
import { parentPort } from "node:worker_threads";
import { REQUEST, type StartMessage, type WorkerStart } from "./channel.ts";
import { type OpenRunner, type Runner, startFailure } from "./runner.ts";
import { ServedChannel } from "./served-channel.ts";
import { systemThreadId } from "./thread-id.ts";
import { openModelRunner } from "./trees/open-runner.ts";

/** Serves runs until EXIT. `beforeRun` is called with each frame's memory before it is run. */
export async function serveRuns(
  start: WorkerStart,
  beforeRun: (memory: SharedArrayBuffer) => void = () => {},
  openRunner: OpenRunner = openModelRunner,
): Promise<void> {
  tell({ kind: "thread", threadId: systemThreadId() });
  const runner = await startRunner(() => openRunner(start, tell));
  if (runner === undefined) return;
  const channel = new ServedChannel(start, runner);
  const { words } = channel;
  for (;;) {
    if (runner.needsTurns) await Atomics.waitAsync(words, REQUEST, channel.request).value;
    else Atomics.wait(words, REQUEST, channel.request);
    if (!channel.isAsked) continue;
    if (!(await channel.answer(beforeRun))) break;
  }
  await runner.close();
  channel.close();
}

async function startRunner(open: () => Promise<Runner>): Promise<Runner | undefined> {
  try {
    const runner = await open();
    tell({ kind: "ready", treeKernel: runner.treeKernel });
    return runner;
  } catch (error) {
    tell({ kind: "failed", ...startFailure(error) });
    return undefined;
  }
}

function tell(message: StartMessage): void {
  parentPort?.postMessage(message);
}
