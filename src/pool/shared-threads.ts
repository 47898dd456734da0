import { MessageChannel, Worker } from "node:worker_threads";
import { entryUrl } from "../package-files.ts";
import type { Log } from "../telemetry/log.ts";
import {
  BEGUN,
  BELL,
  BELL_MAIL,
  BELL_WORDS,
  type GuestChannel,
  HOLDER,
  type SeatMessage,
  type SharedMail,
  type SharedStart,
  type WorkerStart,
} from "../worker/channel.ts";
import { noteThread, type SessionThread, type ThreadEvents } from "./session-thread.ts";

/** Sessions that one thread takes. */
const SEATS = 128;
/**
 * How often it is looked whether a run still holds a shared thread. One that is found twice has the thread for itself: the others
 * leave it.
 */
const HOLD_CHECK_MS = 250;
/** What a run may take before others that share its thread are moved to another, whose start they then wait for. */
export const LONGEST_HOLD_UP_MS = 2 * HOLD_CHECK_MS;

/**
 * Sessions that left a thread before it takes no more. ONNX Runtime and the allocator give back all that a session held only where its
 * thread ends: some 0.15 MiB stay of each. A thread that takes no more ends with the last session in it.
 */
const MOST_LEFT = 32;

const SHARED_URL = entryUrl("worker/shared-main");

/** Tells a shared thread that a request was raised in one of its channels. */
export function ringBell(bell: Int32Array): void {
  Atomics.add(bell, BELL, 1);
  Atomics.notify(bell, BELL);
}

/** Starts a thread for one session that other threads feed too; `sharedUrl` is its entry. */
export function openHostThread(
  log: Log,
  sharedUrl: URL,
  start: WorkerStart,
  events: ThreadEvents,
): SessionThread {
  return new SharedThread(log, sharedUrl, HOLD_CHECK_MS, true).seat(start, "", events);
}

/** The threads that light sessions share, filled one after another. A thread ends with the last session in it. */
export class SharedThreads {
  private readonly log: Log;
  private readonly sharedUrl: URL;
  private readonly holdCheckMs: number;
  private readonly threads = new Set<SharedThread>();

  /** Tests give an entry of threads, and how often to look, of their own. */
  constructor(log: Log, options: { readonly sharedUrl?: URL; readonly holdCheckMs?: number } = {}) {
    this.log = log;
    this.sharedUrl = options.sharedUrl ?? SHARED_URL;
    this.holdCheckMs = options.holdCheckMs ?? HOLD_CHECK_MS;
  }

  /** Takes a seat for a session. */
  open(start: WorkerStart, modelName: string, events: ThreadEvents): SessionThread {
    for (const thread of this.threads) if (!thread.isOpen) this.threads.delete(thread);
    let thread = [...this.threads].find((one) => one.hasRoom);
    if (thread === undefined) {
      thread = new SharedThread(this.log, this.sharedUrl, this.holdCheckMs);
      this.threads.add(thread);
    }
    return thread.seat(start, modelName, events);
  }
}

interface Seat {
  readonly number: number;
  readonly modelName: string;
  readonly events: ThreadEvents;
}

class SharedThread {
  /** It takes sessions; once false, for good. */
  isOpen: boolean;
  private readonly log: Log;
  private readonly holdCheckMs: number;
  private readonly words = new Int32Array(new SharedArrayBuffer(BELL_WORDS * 4));
  private readonly port: MessageChannel["port1"];
  private readonly worker: Worker;
  private readonly seats = new Map<number, Seat>();
  private lastNumber = 0;
  private leftCount = 0;
  private checkTimer: NodeJS.Timeout | undefined = undefined;
  private seenHolder = 0;
  private seenBegun = 0;
  private failure: unknown = undefined;
  private hasGuests = false;
  /** One session has it for itself. */
  private readonly isAlone: boolean;

  constructor(log: Log, sharedUrl: URL, holdCheckMs: number, isAlone = false) {
    this.log = log;
    this.isAlone = isAlone;
    this.isOpen = !isAlone;
    this.holdCheckMs = holdCheckMs;
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.worker = new Worker(sharedUrl, {
      workerData: { bell: this.words.buffer as SharedArrayBuffer, port: port2 } satisfies SharedStart,
      transferList: [port2],
      name: "assay shared",
    });
    noteThread(this.worker);
    this.worker.on("message", ({ seat, message }: SeatMessage) => {
      if (message.kind === "left") this.leave(seat);
      else this.seats.get(seat)?.events.onMessage(message);
    });
    this.worker.on("error", (cause) => {
      this.failure = cause;
    });
    this.worker.on("exit", (exitCode) => this.onExit(exitCode));
  }

  get hasRoom(): boolean {
    return this.isOpen && this.leftCount < MOST_LEFT && this.seats.size < SEATS;
  }

  seat(start: WorkerStart, modelName: string, events: ThreadEvents): SessionThread {
    const number = ++this.lastNumber;
    this.seats.set(number, { number, modelName, events });
    this.send({ kind: "open", seat: number, start, isAlone: this.isAlone }, [start.port]);
    return {
      ring: () => this.ring(),
      leaveBehind: () => this.leaveBehind(number),
      door: {
        bell: this.words.buffer as SharedArrayBuffer,
        join: (channel) => this.join(number, channel),
      },
    };
  }

  /** Whoever rings from another thread starts no timer here: from now on it is looked all the time. */
  private join(seat: number, channel: GuestChannel): void {
    this.hasGuests = true;
    this.send({ kind: "join", seat, channel }, [channel.port]);
  }

  private send(mail: SharedMail, transfer: MessageChannel["port1"][] = []): void {
    this.port.postMessage(mail, transfer);
    Atomics.add(this.words, BELL_MAIL, 1);
    this.ring();
  }

  private ring(): void {
    ringBell(this.words);
    if (this.isOpen) this.checkTimer ??= setTimeout(() => this.check(), this.holdCheckMs);
  }

  /** The last one out ends the thread. */
  private leave(number: number): void {
    const seat = this.seats.get(number);
    this.seats.delete(number);
    this.leftCount++;
    if (this.seats.size === 0) {
      this.isOpen = false;
      this.send({ kind: "end" });
    }
    seat?.events.onExit(0);
  }

  private check(): void {
    this.checkTimer = undefined;
    const holder = Atomics.load(this.words, HOLDER);
    const begun = Atomics.load(this.words, BEGUN);
    if (holder === 0) {
      this.seenHolder = 0;
      if (this.hasGuests && this.isOpen) this.checkTimer = setTimeout(() => this.check(), this.holdCheckMs);
      return;
    }
    if (holder === this.seenHolder && begun === this.seenBegun) this.giveTo(holder);
    this.seenHolder = holder;
    this.seenBegun = begun;
    if (this.isOpen) this.checkTimer = setTimeout(() => this.check(), this.holdCheckMs);
  }

  /** The others leave; what they wait for is done elsewhere. */
  private giveTo(holder: number): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    const others = [...this.seats.values()].filter(({ number }) => number !== holder);
    const one = this.seats.get(holder);
    if (one !== undefined) {
      this.log.warn(
        { model: one.modelName, moved: others.length },
        `a run or load holds the shared thread for more than ${this.holdCheckMs} ms: the model has the thread for itself, the others are moved`,
      );
      one.events.onAlone();
    }
    for (const { events } of others) events.onHeldUp();
  }

  private leaveBehind(number: number): boolean {
    if (Atomics.load(this.words, HOLDER) !== number) {
      this.seats.delete(number);
      return false;
    }
    this.giveTo(number);
    this.worker.unref();
    return true;
  }

  /** Whatever ran has ended the thread; the others go on with what they wait for elsewhere. */
  private onExit(exitCode: number): void {
    this.isOpen = false;
    clearTimeout(this.checkTimer);
    this.port.close();
    const holder = Atomics.load(this.words, HOLDER);
    const left = [...this.seats.values()];
    this.seats.clear();
    for (const { number, events } of left) {
      if (this.failure !== undefined) events.onError(this.failure);
      if (number === holder) events.onAlone();
      else if (holder !== 0) events.onHeldUp();
      events.onExit(exitCode);
    }
  }
}
