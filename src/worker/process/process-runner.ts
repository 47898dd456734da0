import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { deserialize, serialize } from "node:v8";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { TreeKernelUse } from "../../model/prepared-model.ts";
import { entryUrl } from "../../package-files.ts";
import { RUN_OK, type StartMessage, type WorkerStart } from "../channel.ts";
import { frameBytes } from "../frame.ts";
import { type Runner, readText } from "../runner.ts";
import type { SlotMemory } from "../slot-memory.ts";
import {
  type CarriedPlan,
  END,
  type MessageHead,
  MODEL,
  PLAN,
  RUN,
  readAll,
  readHead,
  writeMessage,
} from "./process-protocol.ts";

const ENTRY = entryUrl("worker/process/process-main");

/** What Node keeps of a pipe, of which its types say nothing: read and written here by blocking calls. */
interface PipeHandle {
  readonly fd: number;
  readStop(): number;
  setBlocking(enable: boolean): number;
}

/**
 * Starts a process with a session of its own and relays runs to it. Throws what the start failed with, and INSTANCE_LOST with the
 * signal where the process ended by itself. `tell` is told the process's number.
 */
export async function openProcessRunner(
  start: WorkerStart,
  tell: (message: StartMessage) => void,
): Promise<Runner> {
  // A process group of its own: a terminal's Ctrl-C is the server's to answer.
  const child = spawn(process.execPath, [fileURLToPath(ENTRY)], {
    stdio: ["pipe", "ignore", "ignore", "pipe"],
    detached: true,
    windowsHide: true,
  });
  const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  // Rejects where there is no process to be had; whoever waits for it hears of it.
  ended.catch(() => {});
  if (child.pid === undefined) {
    const cause = await ended.catch((error: unknown) => error);
    throw new AssayError(Reason.INSTANCE_LOST, `no process for the model: ${(cause as Error).message}`, {
      cause,
    });
  }
  // It may be gone before all was written.
  child.stdin?.on("error", () => {});
  tell({ kind: "process", processId: child.pid });
  const runner = new ProcessRunner(child, ended);
  await runner.start(start);
  return runner;
}

class ProcessRunner implements Runner {
  readonly needsTurns = true;
  treeKernel: TreeKernelUse | undefined = undefined;
  readonly #ended: Promise<[number | null, NodeJS.Signals | null]>;
  readonly #socket: number;
  /** A process that ends meanwhile is told by what is read. */
  #isBusy = true;

  constructor(child: ChildProcess, ended: Promise<[number | null, NodeJS.Signals | null]>) {
    this.#ended = ended;
    child.once("exit", (exitCode, signal) => {
      if (!this.#isBusy) throw loss(exitCode, signal);
    });
    const handle = (child.stdio[3] as unknown as { _handle: PipeHandle })._handle;
    handle.readStop();
    handle.setBlocking(true);
    this.#socket = handle.fd;
  }

  async start({ control: _control, port: _port, bytes, ...plan }: WorkerStart): Promise<void> {
    this.#send(PLAN, serialize(plan satisfies CarriedPlan));
    this.#send(MODEL, bytes);
    const { code, byteLength } = await this.#answer();
    const text = new SharedArrayBuffer(byteLength);
    if (!readAll(this.#socket, new Uint8Array(text))) throw await this.#loss();
    if (code === RUN_OK) {
      this.treeKernel = deserialize(new Uint8Array(text).slice()) as TreeKernelUse | undefined;
      this.#isBusy = false;
      return;
    }
    await this.#ended;
    throw new AssayError(code as Reason, readText(text));
  }

  async run(memory: SharedArrayBuffer, output: SlotMemory): Promise<number> {
    this.#isBusy = true;
    this.#send(RUN, new Uint8Array(memory, 0, frameBytes(memory)));
    const { code, byteLength } = await this.#answer();
    output.fit(byteLength);
    output.note(byteLength);
    if (!readAll(this.#socket, new Uint8Array(output.buffer, 0, byteLength))) throw await this.#loss();
    this.#isBusy = false;
    return code;
  }

  async close(): Promise<void> {
    this.#isBusy = true;
    this.#send(END, new Uint8Array(0));
    await this.#ended;
  }

  /** A process that has gone is told by what is read, with why. */
  #send(code: number, body: Uint8Array): void {
    try {
      writeMessage(this.#socket, code, body);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  async #answer(): Promise<MessageHead> {
    let head: MessageHead | undefined;
    try {
      head = readHead(this.#socket);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    if (head === undefined) throw await this.#loss();
    return head;
  }

  async #loss(): Promise<AssayError> {
    return loss(...(await this.#ended));
  }
}

function loss(exitCode: number | null, signal: NodeJS.Signals | null): AssayError {
  if (signal === null) {
    return new AssayError(Reason.INSTANCE_LOST, `the model's process exited with code ${exitCode}`);
  }
  const why = signal === "SIGKILL" ? "as the system does when memory runs out" : "a crash in native code";
  return new AssayError(Reason.INSTANCE_LOST, `the model's process was ended by ${signal}, ${why}`);
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EPIPE" || code === "ECONNRESET";
}
