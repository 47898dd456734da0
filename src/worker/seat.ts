import { type GuestChannel, LONG_RUNS, TAKEN, type WorkerStart } from "./channel.ts";
import { RunMeter } from "./run-meter.ts";
import type { Runner } from "./runner.ts";
import { ServedChannel } from "./served-channel.ts";

/** A session of a shared thread and the channels that feed it; its closer is `close`. */
export class Seat {
  readonly number: number;
  readonly channels: ServedChannel[];
  private readonly runner: Runner;
  private readonly maxOutputBytes: number;
  /** None for a session that has the thread for itself. */
  private readonly meter: RunMeter | undefined;
  private readonly begin: () => void;
  private readonly end: () => void;
  private answered: ServedChannel;

  /** `beforeRun` is called before each run. */
  constructor(
    number: number,
    start: Pick<WorkerStart, "control" | "port" | "maxOutputBytes">,
    runner: Runner,
    isAlone: boolean,
    beforeRun: () => void,
  ) {
    this.number = number;
    this.runner = runner;
    this.maxOutputBytes = start.maxOutputBytes;
    this.answered = new ServedChannel(start, runner);
    this.channels = [this.answered];
    this.meter = isAlone ? undefined : new RunMeter();
    const begin = () => {
      const { words, request } = this.answered;
      Atomics.store(words, TAKEN, request);
      this.meter?.begin();
      beforeRun();
    };
    const end = () => {
      if (this.meter?.end() === true)
        for (const { words } of this.channels) Atomics.store(words, LONG_RUNS, 1);
    };
    this.begin = begin;
    this.end = end;
  }

  get needsTurns(): boolean {
    return this.runner.needsTurns;
  }

  /** Every channel was left. */
  get isLeft(): boolean {
    return this.channels.length === 0;
  }

  /** Serves one more channel. */
  join({ control, port }: GuestChannel): void {
    this.channels.push(
      new ServedChannel({ control, port, maxOutputBytes: this.maxOutputBytes }, this.runner),
    );
  }

  /** Answers the request that lies in a channel of the seat, or closes the channel where it is EXIT. */
  async answer(channel: ServedChannel): Promise<void> {
    this.answered = channel;
    if (await channel.answer(this.begin, this.end)) return;
    channel.close();
    this.channels.splice(this.channels.indexOf(channel), 1);
  }

  /** Frees the session; no channel is left. */
  close(): Promise<void> {
    return this.runner.close();
  }
}
