import type { MessagePort } from "node:worker_threads";
import type { AssayError } from "../../errors.ts";
import { EXIT, REQUEST, RESPONSE, SLOT, TAKEN } from "../../worker/channel.ts";
import type { InstanceGuests, SessionDoor } from "../session-thread.ts";
import { ringBell } from "../shared-threads.ts";
import { type GuestMessage, type HostMessage, type HostState, toldError } from "./guest-messages.ts";

/** How a host acts on its instances, by their places. */
export interface HostActs {
  state(): HostState;
  /** A guest's run has hung: another worker takes the place of this one. */
  replaceHung(instance: number): void;
  moveOut(instance: number): void;
}

/** The longest that a pool which closes waits for its guests to answer what they hold: a call may take no longer by default. */
const LEAVE_MS = 60_000;

/** A pool's guests; made and closed with the pool. */
export class PoolHost {
  private readonly acts: HostActs;
  private readonly runTimeoutMs: number;
  private readonly lives: Life[] = [];
  private readonly guests = new Set<Guest>();
  private onEmpty: () => void = nothing;

  constructor(acts: HostActs, runTimeoutMs: number) {
    this.acts = acts;
    this.runTimeoutMs = runTimeoutMs;
  }

  /** What the next instance tells of itself. */
  nextInstance(): InstanceGuests {
    const life = new Life(this.lives.length, (message) => this.tellAll(message));
    this.lives.push(life);
    return life;
  }

  /** Takes a guest at the other end of `port`, which leaves by closing it. */
  admit(port: MessagePort): void {
    const guest = new Guest(port);
    this.guests.add(guest);
    port.on("message", (message: GuestMessage) => this.take(guest, message));
    port.on("close", () => this.leave(guest));
    guest.tell({ kind: "state", state: this.acts.state() });
    for (const life of this.lives) if (life.door !== undefined) guest.tell(life.news(life.door));
  }

  tellState(): void {
    if (this.guests.size > 0) this.tellAll({ kind: "state", state: this.acts.state() });
  }

  /** Resolves when every guest has left, or has had its time. */
  async left(): Promise<void> {
    if (this.guests.size === 0) return;
    const { promise: isEmpty, resolve } = Promise.withResolvers<void>();
    this.onEmpty = resolve;
    const timer = setTimeout(resolve, LEAVE_MS);
    await isEmpty;
    clearTimeout(timer);
  }

  private tellAll(message: HostMessage): void {
    for (const guest of this.guests) guest.tell(message);
  }

  private take(guest: Guest, message: GuestMessage): void {
    const { instance } = message;
    const life = this.lives[instance]!;
    const isCurrent = life.door !== undefined && life.number === message.life;
    if (message.kind === "join") {
      if (isCurrent) guest.join(life.door!, message.channel);
      else message.channel.port.close();
    } else if (isCurrent) {
      if (message.kind === "hung") this.acts.replaceHung(instance);
      else this.acts.moveOut(instance);
    }
  }

  private leave(guest: Guest): void {
    this.guests.delete(guest);
    const { lives } = this;
    const numbers = lives.map(({ number }) => number);
    // Where the guest's thread has ended in the midst of a run, nobody else looks whether that ends.
    const isRunning = guest.leaveAll();
    if (isRunning !== undefined) {
      setTimeout(() => {
        const at = lives.findIndex(({ door }) => door === isRunning.door);
        if (at !== -1 && lives[at]!.number === numbers[at] && isRunning.isUnanswered())
          this.acts.replaceHung(at);
      }, this.runTimeoutMs).unref();
    }
    if (this.guests.size === 0) this.onEmpty();
  }
}

/** The present life of one instance. */
class Life implements InstanceGuests {
  number = 0;
  door: SessionDoor | undefined = undefined;
  private readonly instance: number;
  private readonly tell: (message: HostMessage) => void;

  constructor(instance: number, tell: (message: HostMessage) => void) {
    this.instance = instance;
    this.tell = tell;
  }

  news({ bell }: SessionDoor): HostMessage {
    return { kind: "up", instance: this.instance, life: this.number, bell };
  }

  onUp(door: SessionDoor): void {
    this.number++;
    this.door = door;
    this.tell(this.news(door));
  }

  onDown(keepsRows: boolean, error: AssayError | undefined): void {
    if (this.door === undefined) return;
    this.door = undefined;
    this.tell({ kind: "down", instance: this.instance, keepsRows, error: error && toldError(error) });
  }
}

/** A channel that a guest was let in with. */
interface Joined {
  readonly door: SessionDoor;
  readonly words: Int32Array;
}

/** Of each instance the present channel, and the one before it that may still run. */
const KEPT_CHANNELS = 64;

class Guest {
  private readonly port: MessagePort;
  private joined: Joined[] = [];

  constructor(port: MessagePort) {
    this.port = port;
  }

  tell(message: HostMessage): void {
    this.port.postMessage(message);
  }

  join(door: SessionDoor, channel: (GuestMessage & { readonly kind: "join" })["channel"]): void {
    if (this.joined.length >= KEPT_CHANNELS) this.joined = this.joined.filter(({ words }) => !hasLeft(words));
    this.joined.push({ door, words: new Int32Array(channel.control) });
    door.join(channel);
  }

  /** Leaves every channel in the guest's place; gives the one whose run is going on, if any. */
  leaveAll(): { readonly door: SessionDoor; isUnanswered(): boolean } | undefined {
    const open = this.joined.filter(({ words }) => !hasLeft(words));
    const running = open.find(({ words }) => Atomics.load(words, TAKEN) !== Atomics.load(words, RESPONSE));
    for (const { words, door } of open) {
      Atomics.store(words, SLOT, EXIT);
      Atomics.add(words, REQUEST, 1);
      ringBell(new Int32Array(door.bell));
    }
    if (running === undefined) return undefined;
    const { door, words } = running;
    const taken = Atomics.load(words, TAKEN);
    return { door, isUnanswered: () => Atomics.load(words, RESPONSE) !== taken };
  }
}

function hasLeft(words: Int32Array): boolean {
  return Atomics.load(words, SLOT) === EXIT;
}

function nothing(): void {}
