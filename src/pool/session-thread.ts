import { Worker } from "node:worker_threads";
import type { AssayError } from "../errors.ts";
import { type GuestChannel, REQUEST, type StartMessage, type WorkerStart } from "../worker/channel.ts";

/** What becomes of a session's thread, or of its seat in a shared one; each is called in a turn of its own. */
export interface ThreadEvents {
  onMessage(message: StartMessage): void;
  onError(cause: unknown): void;
  /** Nothing more comes from it. */
  onExit(exitCode: number): void;
  /** Another session holds up the thread that this one shares with it: it is to be left. */
  onHeldUp(): void;
  /** The session held up a shared thread, which is its own from now on. */
  onAlone(): void;
}

/** Where pools in other threads find a session. */
export interface SessionDoor {
  /** What whoever raised a request rings: `ringBell`. */
  readonly bell: SharedArrayBuffer;
  /** Has the session serve one more channel, whose port is handed over. */
  join(channel: GuestChannel): void;
}

/** Pools in other threads that feed the instance's session too. */
export interface InstanceGuests {
  /** A worker is up, in the place of the one before. */
  onUp(door: SessionDoor): void;
  /** It is up no more: rows that it was given and had not begun go to the next one, or are lost with it. */
  onDown(keepsRows: boolean, error: AssayError | undefined): void;
}

/** Where a session lives: a thread of its own, or a seat in a shared one. */
export interface SessionThread {
  /** Tells the thread that a request was raised in the session's channel. */
  ring(): void;
  /** The thread is left as it is and does not keep the process; false where another session is what it hangs in, which keeps it. */
  leaveBehind(): boolean;
  /** Undefined where the thread serves one channel only. */
  readonly door?: SessionDoor;
}

/** Starts the thread or takes the seat; the port in `start` is handed over. */
export type OpenThread = (start: WorkerStart, events: ThreadEvents) => SessionThread;

const liveThreads = new Set<Worker>();

/**
 * Worker threads of this process that have not ended. While there are any, `process.exit` may wait for ever for one that is in
 * native code, or abort the process: see `endProcess`.
 */
export function liveThreadCount(): number {
  return liveThreads.size;
}

/** Counts a thread among those that live until it ends. */
export function noteThread(worker: Worker): void {
  liveThreads.add(worker);
  worker.once("exit", () => liveThreads.delete(worker));
}

/** A thread for one session, or for the relay to its process. */
export function openOwnThread(workerUrl: URL): OpenThread {
  return (start, events) => {
    const worker = new Worker(workerUrl, {
      workerData: start,
      transferList: [start.port],
      name: `assay ${start.device.provider}:${start.device.deviceId}`,
    });
    noteThread(worker);
    const words = new Int32Array(start.control);
    worker.on("message", (message: StartMessage) => events.onMessage(message));
    worker.on("error", (cause) => events.onError(cause));
    worker.on("exit", (exitCode) => events.onExit(exitCode));
    return {
      ring: () => void Atomics.notify(words, REQUEST),
      leaveBehind() {
        worker.unref();
        return true;
      },
    };
  };
}
