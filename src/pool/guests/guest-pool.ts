import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { idleCountOf, runOnIdle } from "../idle-instances.ts";
import type { Pool } from "../pool.ts";
import type { ChannelPlan } from "../run-channel.ts";
import { createWatchdog, type Watchdog } from "../watchdog.ts";
import { GuestInstance } from "./guest-instance.ts";
import { type HostMessage, type HostState, heardError } from "./guest-messages.ts";

/** Options of a guest. */
export interface GuestPoolOptions {
  /** Its other end was given to the host's `admit`. */
  readonly port: MessagePort;
  readonly plan: ChannelPlan;
  readonly runTimeoutMs: number;
  /** How long a run may go on after `close`; default 1,000. */
  readonly endGraceMs?: number;
}

/** Makes a pool that feeds the sessions of another thread's; what the host has told so far is known at once. */
export function createGuestPool(options: GuestPoolOptions): Pool {
  return new GuestPool(options);
}

class GuestPool implements Pool {
  onIdle: () => void = nothing;
  /** The host tells the log. */
  onAvailability: (available: boolean) => void = nothing;
  private readonly port: MessagePort;
  private readonly options: GuestPoolOptions;
  private readonly guests: GuestInstance[] = [];
  private readonly watchdog: Watchdog;
  private state: HostState = { instances: [], liveCount: 0, outage: undefined };
  private heardOutage: AssayError | undefined = undefined;
  private isClosed = false;
  private onQuiet: () => void = nothing;

  constructor(options: GuestPoolOptions) {
    const { port, runTimeoutMs } = options;
    this.port = port;
    this.options = options;
    this.watchdog = createWatchdog(this.guests, runTimeoutMs, (instance) => instance.onOverdue(runTimeoutMs));
    for (let told = receiveMessageOnPort(port); told !== undefined; told = receiveMessageOnPort(port))
      this.hear(told.message as HostMessage);
    port.on("message", (message: HostMessage) => this.hear(message));
    port.unref();
  }

  get idleCount(): number {
    return this.isClosed ? 0 : idleCountOf(this.guests);
  }

  get liveCount(): number {
    return this.state.liveCount;
  }

  get instances(): Pool["instances"] {
    return this.state.instances;
  }

  get outage(): AssayError | undefined {
    return this.heardOutage;
  }

  run(batch: Parameters<Pool["run"]>[0]): void {
    runOnIdle(this.guests, batch, this.watchdog);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.isBusy()) {
      const { promise: isQuiet, resolve } = Promise.withResolvers<void>();
      this.onQuiet = resolve;
      const grace = setTimeout(resolve, this.options.endGraceMs ?? 1_000);
      await isQuiet;
      clearTimeout(grace);
    }
    const what = "the run was still going on when its instance was closed";
    for (const instance of this.guests) instance.close(new AssayError(Reason.SHUTTING_DOWN, what));
    this.watchdog.close();
    this.port.close();
  }

  private isBusy(): boolean {
    return this.guests.some((instance) => instance.runStartedAt !== undefined);
  }

  private hear(message: HostMessage): void {
    switch (message.kind) {
      case "state":
        this.hearState(message.state);
        break;
      case "up":
        if (!this.isClosed) this.instance(message.instance).onUp(message);
        break;
      case "down":
        this.instance(message.instance).onDown(message.keepsRows, message.error && heardError(message.error));
        if (!this.isBusy()) this.onQuiet();
    }
  }

  private hearState(state: HostState): void {
    this.state = state;
    this.heardOutage = state.outage && heardError(state.outage);
    if (this.heardOutage !== undefined)
      for (const instance of this.guests) instance.failUnbegun(this.heardOutage);
    if (state.liveCount === 0) this.onIdle();
  }

  private instance(index: number): GuestInstance {
    while (this.guests.length <= index) {
      this.guests.push(
        new GuestInstance(this.guests.length, this.options.plan, {
          tell: (message, transfer = []) => this.port.postMessage(message, transfer),
          onIdle: () => {
            if (!this.isClosed) this.onIdle();
            else if (!this.isBusy()) this.onQuiet();
          },
          onRun: () => this.watchdog.watch(),
        }),
      );
    }
    return this.guests[index]!;
  }
}

function nothing(): void {}
