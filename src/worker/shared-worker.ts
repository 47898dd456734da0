/**
 * A thread that several light sessions share: each has a seat, with a channel of its own as if the thread were its own.
 * Promises: one run at a time, one run a seat in turn; a seat that fails to start or is left leaves the others alone; what goes
 * wrong otherwise ends the thread and all of its sessions, which the pool notices.
 */
import { parentPort, receiveMessageOnPort } from "node:worker_threads";
import {
  BEGUN,
  BELL,
  BELL_MAIL,
  HOLDER,
  LONG_RUNS,
  type SeatMessage,
  type SharedMail,
  type SharedStart,
  type WorkerStart,
} from "./channel.ts";
import { RunMeter } from "./run-meter.ts";
import { startFailure } from "./runner.ts";
import { ServedChannel } from "./served-channel.ts";
import { systemThreadId } from "./thread-id.ts";
import { openModelRunner } from "./trees/open-runner.ts";

/** Serves the sessions that it is sent until it is told to end. `beforeRun` is called before each run, with the session's start. */
export async function serveShared(
  { bell, port }: SharedStart,
  beforeRun: (start: WorkerStart) => void = () => {},
): Promise<void> {
  const words = new Int32Array(bell);
  const threadId = systemThreadId();
  let seats: Seat[] = [];
  for (;;) {
    const rung = Atomics.load(words, BELL);
    let isIdle = true;
    if (Atomics.load(words, BELL_MAIL) > 0) {
      isIdle = false;
      Atomics.sub(words, BELL_MAIL, 1);
      const mail = receiveMessageOnPort(port)?.message as SharedMail;
      if (mail.kind === "end") break;
      hold(words, mail.seat);
      tell(mail.seat, { kind: "thread", threadId });
      const seat = await openSeat(mail.seat, mail.start, beforeRun);
      if (seat !== undefined) seats.push(seat);
    }
    for (const seat of seats) {
      if (!seat.channel.isAsked) continue;
      isIdle = false;
      hold(words, seat.number);
      await seat.answer();
    }
    Atomics.store(words, HOLDER, 0);
    if (seats.some((seat) => seat.isLeft)) seats = seats.filter((seat) => !seat.isLeft);
    if (isIdle) Atomics.wait(words, BELL, rung);
  }
  port.close();
}

function hold(words: Int32Array, seat: number): void {
  Atomics.store(words, HOLDER, seat);
  Atomics.add(words, BEGUN, 1);
}

async function openSeat(
  number: number,
  start: WorkerStart,
  beforeRun: (start: WorkerStart) => void,
): Promise<Seat | undefined> {
  try {
    const runner = await openModelRunner(start);
    const channel = new ServedChannel(start, runner);
    tell(number, { kind: "ready", treeKernel: runner.treeKernel });
    const names = { ...start, bytes: new Uint8Array(0) };
    return new Seat(number, channel, () => beforeRun(names));
  } catch (error) {
    tell(number, { kind: "failed", ...startFailure(error) });
    start.port.close();
    tell(number, { kind: "left" });
    return undefined;
  }
}

class Seat {
  isLeft = false;
  readonly number: number;
  readonly channel: ServedChannel;
  private readonly meter = new RunMeter();
  private readonly begin: () => void;
  private readonly end: () => void;

  constructor(number: number, channel: ServedChannel, beforeRun: () => void) {
    this.number = number;
    this.channel = channel;
    const { meter } = this;
    const begin = () => {
      meter.begin();
      beforeRun();
    };
    const end = () => {
      if (meter.end()) Atomics.store(channel.words, LONG_RUNS, 1);
    };
    this.begin = begin;
    this.end = end;
  }

  async answer(): Promise<void> {
    if (await this.channel.answer(this.begin, this.end)) return;
    this.isLeft = true;
    await this.channel.close();
    tell(this.number, { kind: "left" });
  }
}

function tell(seat: number, message: SeatMessage["message"]): void {
  parentPort?.postMessage({ seat, message } satisfies SeatMessage);
}
