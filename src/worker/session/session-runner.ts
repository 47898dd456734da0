import type { InferenceSession } from "onnxruntime-node";
import { AssayError } from "../../errors.ts";
import type { TreeKernelUse } from "../../model/prepared-model.ts";
import { RUN_OK, type SessionStart } from "../channel.ts";
import { readHeader } from "../frame.ts";
import { type Runner, writeText } from "../runner.ts";
import type { SlotMemory } from "../slot-memory.ts";
import { LoopTurns } from "./loop-turns.ts";
import { writeOutputs } from "./output-frame.ts";
import { createSession, runSession } from "./session.ts";

/** The plan with the names that the session has for inputs and outputs. */
export function withSessionNames(plan: SessionStart): SessionStart {
  return {
    ...plan,
    inputNames: plan.inputSessionNames,
    outputNames: plan.outputSessionNames,
  };
}

/**
 * Makes a session in this thread; `start` has the session's names, `treeKernel` says why it runs trees, if it does. Throws
 * MODEL_INVALID or DEVICE_UNAVAILABLE.
 */
export async function openSessionRunner(
  start: SessionStart,
  treeKernel: TreeKernelUse | undefined,
): Promise<Runner> {
  const session = await createSession(start);
  // The session has its own: a process need not keep what it was made of.
  return new SessionRunner(session, withoutRows(start), treeKernel);
}

/** What a runner keeps of its plan. */
export function withoutRows(start: SessionStart): SessionStart {
  return { ...start, bytes: new Uint8Array(0), treeRows: undefined };
}

class SessionRunner implements Runner {
  readonly needsTurns = false;
  readonly treeKernel: TreeKernelUse | undefined;
  readonly #session: InferenceSession;
  readonly #start: SessionStart;
  readonly #turns = new LoopTurns();

  constructor(session: InferenceSession, start: SessionStart, treeKernel: TreeKernelUse | undefined) {
    this.treeKernel = treeKernel;
    this.#session = session;
    this.#start = start;
  }

  async run(memory: SharedArrayBuffer, output: SlotMemory): Promise<number> {
    const turn = this.#turns.afterRun();
    if (turn !== undefined) await turn;
    try {
      const results = await runSession(this.#session, this.#start, memory, readHeader(memory));
      writeOutputs(results, this.#start, output, this.#start.maxOutputBytes);
      return RUN_OK;
    } catch (error) {
      if (!(error instanceof AssayError)) throw error;
      writeText(error.message, output);
      return error.reason;
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}
