/**
 * A thread that sessions share, or that serves one session through several channels: each session has a seat, each of its channels is
 * served as if the thread were its own.
 * Promises: one run at a time, one run a channel in turn; a seat that fails to start or is left leaves the others alone; what goes
 * wrong otherwise ends the thread and all of its sessions, which the pool notices.
 */
import { parentPort, receiveMessageOnPort } from "node:worker_threads";
import {
  BEGUN,
  BELL,
  BELL_MAIL,
  HOLDER,
  type SeatMessage,
  type SharedMail,
  type SharedStart,
  type WorkerStart,
} from "./channel.ts";
import { type OpenRunner, startFailure } from "./runner.ts";
import { Seat } from "./seat.ts";
import { systemThreadId } from "./thread-id.ts";
import { openModelRunner } from "./trees/open-runner.ts";

/** Serves the sessions that it is sent until it is told to end. `beforeRun` is called before each run, with the session's start. */
export async function serveShared(
  start: SharedStart,
  beforeRun: (start: WorkerStart) => void = () => {},
  openRunner: OpenRunner = openModelRunner,
): Promise<void> {
  await new SharedSessions(start, beforeRun, openRunner).serve();
}

class SharedSessions {
  private readonly words: Int32Array;
  private readonly port: SharedStart["port"];
  private readonly beforeRun: (start: WorkerStart) => void;
  private readonly openRunner: OpenRunner;
  private readonly threadId = systemThreadId();
  private seats: Seat[] = [];
  private hasEnded = false;

  constructor({ bell, port }: SharedStart, beforeRun: (start: WorkerStart) => void, openRunner: OpenRunner) {
    this.words = new Int32Array(bell);
    this.port = port;
    this.beforeRun = beforeRun;
    this.openRunner = openRunner;
  }

  async serve(): Promise<void> {
    const { words } = this;
    for (;;) {
      const rung = Atomics.load(words, BELL);
      let isIdle = true;
      if (Atomics.load(words, BELL_MAIL) > 0) {
        isIdle = false;
        await this.takeMail();
        if (this.hasEnded) break;
      }
      for (const seat of this.seats) {
        for (const channel of seat.channels) {
          if (!channel.isAsked) continue;
          isIdle = false;
          this.hold(seat.number);
          await seat.answer(channel);
        }
      }
      Atomics.store(words, HOLDER, 0);
      if (this.seats.some((seat) => seat.isLeft)) await this.freeSeats();
      if (!isIdle) continue;
      // A runner whose event loop has to turn hears in it that its process has ended.
      if (this.seats.some((seat) => seat.needsTurns)) await Atomics.waitAsync(words, BELL, rung).value;
      else Atomics.wait(words, BELL, rung);
    }
    this.port.close();
  }

  private async takeMail(): Promise<void> {
    Atomics.sub(this.words, BELL_MAIL, 1);
    const mail = receiveMessageOnPort(this.port)?.message as SharedMail;
    switch (mail.kind) {
      case "open":
        this.hold(mail.seat);
        await this.open(mail);
        break;
      case "join": {
        const seat = this.seats.find(({ number }) => number === mail.seat);
        if (seat === undefined) mail.channel.port.close();
        else seat.join(mail.channel);
        break;
      }
      case "end":
        this.hasEnded = true;
    }
  }

  private hold(seat: number): void {
    Atomics.store(this.words, HOLDER, seat);
    Atomics.add(this.words, BEGUN, 1);
  }

  private async open({ seat, start, isAlone }: SharedMail & { readonly kind: "open" }): Promise<void> {
    tell(seat, { kind: "thread", threadId: this.threadId });
    try {
      const runner = await this.openRunner(start, (message) => tell(seat, message));
      const names = { ...start, bytes: new Uint8Array(0) };
      this.seats.push(new Seat(seat, start, runner, isAlone, () => this.beforeRun(names)));
      tell(seat, { kind: "ready", treeKernel: runner.treeKernel });
    } catch (error) {
      tell(seat, { kind: "failed", ...startFailure(error) });
      start.port.close();
      tell(seat, { kind: "left" });
    }
  }

  private async freeSeats(): Promise<void> {
    const left = this.seats.filter((seat) => seat.isLeft);
    this.seats = this.seats.filter((seat) => !seat.isLeft);
    for (const seat of left) {
      await seat.close();
      tell(seat.number, { kind: "left" });
    }
  }
}

function tell(seat: number, message: SeatMessage["message"]): void {
  parentPort?.postMessage({ seat, message } satisfies SeatMessage);
}
