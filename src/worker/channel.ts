/**
 * What the pool and a worker thread say to each other.
 * A run crosses in shared memory: the pool lays a frame of inputs in one of two slots, raises REQUEST and notifies; the worker
 * lays a frame of outputs in the slot's other buffer, raises RESPONSE and notifies. The message port carries only what is rare:
 * a buffer that replaces one that was too small, and the state of the start.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Reason } from "../../gen/assay/v1/error_pb.ts";
import type { TreeKernelUse, WeightFile } from "../model/prepared-model.ts";
import type { Datatype } from "../tensor/datatype.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import type { Device } from "./device.ts";

/** Word of the control buffer, an Int32Array: the number of the latest request. */
export const REQUEST = 0;
/** Word: the number of the latest request that was answered. */
export const RESPONSE = 1;
/** Word: the slot that the request lies in, or EXIT. */
export const SLOT = 2;
/** Word: how the last run ended, RUN_OK or the number of a Reason. */
export const STATUS = 3;
/** Word: buffers for inputs that were sent over the port and not yet taken. */
export const INPUT_MAIL = 4;
/** Word: buffers for outputs that were sent over the port and not yet taken. */
export const OUTPUT_MAIL = 5;
/** Word: 1 once the session's runs have shown to be too long for a thread that others share. */
export const LONG_RUNS = 6;
/** Word: the number of the latest request whose run was begun; kept where other channels feed the session too. */
export const TAKEN = 7;
/** The length of the control buffer in words. */
export const CONTROL_WORDS = 16;

/** The status of a run that succeeded. */
export const RUN_OK = 0;
/** In place of a slot: the session is released and the thread ends. */
export const EXIT = -1;
/** While the outputs of one slot are being read, the next batch runs in the other. */
export const SLOT_COUNT = 2;

/** The parts of a session. */
export interface SessionStart {
  readonly device: Device;
  /** Threads inside one run on CPU. */
  readonly intraOpThreads: number;
  /** The ONNX protobuf. */
  readonly bytes: Uint8Array;
  readonly externalData: readonly WeightFile[];
  /** Names by the index that frames use. */
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** The same as the session knows them. */
  readonly inputSessionNames: readonly string[];
  readonly outputSessionNames: readonly string[];
  /** As the signature has them, in the order of the names. */
  readonly inputDatatypes: readonly Datatype[];
  readonly outputDatatypes: readonly Datatype[];
  readonly maxOutputBytes: number;
  /** Rows of golden cases, for trees that Assay's own code may run; undefined where ONNX Runtime runs all. */
  readonly treeRows: readonly (readonly TensorData[])[] | undefined;
}

/** The start of a worker thread, as its `workerData`. */
export interface WorkerStart extends SessionStart {
  readonly control: SharedArrayBuffer;
  /** Carries buffers both ways: `sendMemory`, `takeMemory`. */
  readonly port: MessagePort;
}

/** Word of a shared thread's bell, an Int32Array: raised whenever one of its sessions is asked for something. */
export const BELL = 0;
/** Word of the bell: messages to the thread that it has not yet taken. */
export const BELL_MAIL = 1;
/** Word of the bell: how many runs and loads were begun. */
export const BEGUN = 2;
/** Word of the bell: the number of the seat whose run or load is in progress, 0 for none. */
export const HOLDER = 3;
/** The length of the bell in words. */
export const BELL_WORDS = 4;

/** What a thread that several sessions share is started with, as its `workerData`. */
export interface SharedStart {
  readonly bell: SharedArrayBuffer;
  /** Carries SharedMail. */
  readonly port: MessagePort;
}

/** Another channel to a session that has one, for a pool in another thread. */
export interface GuestChannel {
  readonly control: SharedArrayBuffer;
  readonly port: MessagePort;
}

/**
 * What a shared thread is told: to make a session in a seat, which has the thread for itself or not; to serve one more channel to a
 * session; or to end. A channel is left by EXIT, as a thread is, and a seat with the last of its channels.
 */
export type SharedMail =
  | { readonly kind: "open"; readonly seat: number; readonly start: WorkerStart; readonly isAlone: boolean }
  | { readonly kind: "join"; readonly seat: number; readonly channel: GuestChannel }
  | { readonly kind: "end" };

/** What a shared thread says of a seat: how its start goes, and that nothing more comes from it. */
export interface SeatMessage {
  readonly seat: number;
  readonly message: StartMessage | { readonly kind: "left" };
}

/** The messages of a worker that starts: the system's numbers of its thread and of its process where it has one, then how it ended. */
export type StartMessage =
  | { readonly kind: "thread"; readonly threadId: number }
  | { readonly kind: "process"; readonly processId: number }
  | { readonly kind: "ready"; readonly treeKernel: TreeKernelUse | undefined }
  | { readonly kind: "failed"; readonly reason: Reason; readonly message: string };

/** A buffer that takes the place of a slot's, for inputs if the pool sends it, for outputs if the worker does. */
interface MemoryMessage {
  readonly slot: number;
  readonly memory: SharedArrayBuffer;
}

/** Sends a slot's new buffer; `mail` is INPUT_MAIL or OUTPUT_MAIL. To be called before the request or response that uses it. */
export function sendMemory(
  words: Int32Array,
  port: MessagePort,
  mail: number,
  slot: number,
  memory: SharedArrayBuffer,
): void {
  port.postMessage({ slot, memory } satisfies MemoryMessage);
  Atomics.add(words, mail, 1);
}

/** Puts the buffers that were sent to their slots. */
export function takeMemory(
  words: Int32Array,
  port: MessagePort,
  mail: number,
  slots: SharedArrayBuffer[],
): void {
  for (; Atomics.load(words, mail) > 0; Atomics.sub(words, mail, 1)) {
    const message = receiveMessageOnPort(port)?.message as MemoryMessage;
    slots[message.slot] = message.memory;
  }
}
