import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Batch } from "../pool.ts";
import { type ChannelPlan, RunChannel } from "../run-channel.ts";
import { ringBell } from "../shared-threads.ts";
import { lostRows } from "../worker-handle.ts";
import type { GuestMessage, HostMessage } from "./guest-messages.ts";

/** Acts of a guest's instance on what is around it. */
export interface GuestInstanceEvents {
  tell(message: GuestMessage, transfer?: RunChannel["farPort"][]): void;
  /** It can take a batch. */
  onIdle(): void;
  /** A run began, or its wait begins anew: it is to be watched. */
  onRun(): void;
}

/** A session's life and the channel to it. */
interface Life {
  readonly number: number;
  readonly channel: RunChannel;
}

/** A host's instance as one of its guests sees it: follows the host from life to life. */
export class GuestInstance {
  private readonly index: number;
  private readonly plan: ChannelPlan;
  private readonly events: GuestInstanceEvents;
  private life: Life | undefined = undefined;
  /** Up, and waited with until the present life has answered. */
  private next: Life | undefined = undefined;
  /** The next life's first. */
  private unbegun: Batch | undefined = undefined;

  constructor(index: number, plan: ChannelPlan, events: GuestInstanceEvents) {
    this.index = index;
    this.plan = plan;
    this.events = events;
  }

  get isIdle(): boolean {
    return this.life !== undefined && this.life.channel.runStartedAt === undefined;
  }

  get runStartedAt(): number | undefined {
    return this.life?.channel.runStartedAt;
  }

  run(batch: Batch): void {
    this.life!.channel.run(batch);
  }

  onUp({ life, bell }: HostMessage & { readonly kind: "up" }): void {
    const one = this.join(life, new Int32Array(bell));
    if (this.runStartedAt !== undefined) {
      this.next?.channel.leave();
      this.next?.channel.end();
      this.next = one;
      return;
    }
    this.follow(one);
    const batch = this.unbegun;
    this.unbegun = undefined;
    if (batch !== undefined) {
      this.run(batch);
      this.events.onRun();
    }
    if (this.isIdle) this.events.onIdle();
  }

  /** The present life is over; what it held and had not begun goes to the next one, or is lost. */
  onDown(keepsRows: boolean, error: AssayError | undefined): void {
    const batch = this.abandon();
    if (batch === undefined) return;
    if (keepsRows) this.unbegun = batch;
    else batch.onError(lostRows(error));
  }

  /** A run, or a wait for the runs of others, has taken longer than the time-out. */
  onOverdue(runTimeoutMs: number): void {
    const { life } = this;
    if (life === undefined) return;
    if (!life.channel.isTaken) {
      life.channel.waitAnew();
      this.events.onRun();
      return;
    }
    const batch = this.abandon();
    this.events.tell({ kind: "hung", instance: this.index, life: life.number });
    const what = `the run took longer than the run time-out of ${runTimeoutMs} ms and was given up`;
    batch?.onError(new AssayError(Reason.RUN_TIMEOUT, what));
  }

  /** Answers what waits for a life that will not come soon. */
  failUnbegun(error: AssayError): void {
    const batch = this.unbegun;
    this.unbegun = undefined;
    batch?.onError(error);
  }

  /** Leaves the session; what runs is answered with `error`. */
  close(error: AssayError): void {
    this.abandon()?.onError(error);
    this.failUnbegun(error);
  }

  private join(number: number, bell: Int32Array): Life {
    const { plan, index, events } = this;
    const channel = new RunChannel(plan, {
      ring: () => ringBell(bell),
      onIdle: () => {
        if (this.life?.channel !== channel) return;
        if (this.next !== undefined) this.follow(this.next);
        events.onIdle();
      },
      onLongRuns: () => events.tell({ kind: "long-runs", instance: index, life: number }),
    });
    const { control, farPort: port } = channel;
    events.tell({ kind: "join", instance: index, life: number, channel: { control, port } }, [port]);
    return { number, channel };
  }

  private follow(next: Life): void {
    const { life } = this;
    this.life = next;
    this.next = undefined;
    if (life === undefined) return;
    life.channel.leave();
    // Its last answer is being read.
    queueMicrotask(() => life.channel.end());
  }

  /** Leaves the present life, for the next one where there is one; gives the batch that was not answered. */
  private abandon(): Batch | undefined {
    const { life } = this;
    if (life === undefined) return undefined;
    this.life = this.next;
    this.next = undefined;
    life.channel.end();
    const batch = life.channel.take();
    life.channel.leave();
    return batch;
  }
}
