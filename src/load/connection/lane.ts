import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { type Failure, unreachable } from "../failure.ts";
import type { Clock } from "../loop/clock.ts";
import type { CallConnection, OpenCallConnection } from "./call-connection.ts";

/** A server that is away is asked so often at most. */
const RETRY_MS = 100;

/** One of the connections of a run: it is opened again whenever it is lost, and calls wait for that. */
export class Lane {
  private readonly openConnection: OpenCallConnection;
  private readonly clock: Clock;
  private readonly onAnswer: (slot: number, failure: Failure | undefined) => void;
  private connection: CallConnection | undefined;
  /** Which connection carried a slot's last call: one that is lost to new calls may still answer. */
  private readonly carriers = new Map<number, CallConnection>();
  private waiting: number[] = [];
  private isOpening = false;
  private isClosed = false;
  /** On the connection that was opened last. */
  private hasAnswered = false;
  private callOff: (() => void) | undefined;

  constructor(
    openConnection: OpenCallConnection,
    clock: Clock,
    onAnswer: (slot: number, failure: Failure | undefined) => void,
  ) {
    this.openConnection = openConnection;
    this.clock = clock;
    this.onAnswer = onAnswer;
  }

  /** The first connection; rejects where there is none. */
  async open(): Promise<void> {
    this.isOpening = true;
    try {
      await this.connect();
    } finally {
      this.isOpening = false;
    }
  }

  call(slot: number): void {
    const { connection } = this;
    if (connection !== undefined) {
      this.carriers.set(slot, connection);
      connection.call(slot);
    } else {
      this.waiting.push(slot);
      // A server that takes connections and answers nothing is asked no more often than one that is away.
      this.openAgain(this.hasAnswered ? 0 : RETRY_MS);
    }
  }

  abandon(slot: number): void {
    const at = this.waiting.indexOf(slot);
    if (at >= 0) this.waiting.splice(at, 1);
    else this.carriers.get(slot)?.abandon(slot);
  }

  close(): void {
    this.isClosed = true;
    this.callOff?.();
    for (const connection of new Set(this.carriers.values())) connection.close();
    this.connection?.close();
    this.connection = undefined;
  }

  private openAgain(delayMs: number): void {
    if (this.isOpening || this.isClosed) return;
    this.isOpening = true;
    this.callOff = this.clock.after(delayMs, () => void this.tryAgain());
  }

  private async tryAgain(): Promise<void> {
    let failed: Failure | undefined;
    try {
      await this.connect();
    } catch (error) {
      if (!(error instanceof AssayError)) throw error;
      failed = unreachable(error.message);
    }
    this.isOpening = false;
    if (failed === undefined) return;
    const slots = this.waiting.splice(0);
    // Calls that follow at once wait for the next try.
    if (slots.length > 0) this.openAgain(RETRY_MS);
    for (const slot of slots) this.onAnswer(slot, failed);
  }

  private async connect(): Promise<void> {
    let lost: string | undefined;
    let connection: CallConnection | undefined;
    this.hasAnswered = false;
    connection = await this.openConnection({
      onAnswer: (slot, failure) => {
        if (failure?.reason !== "SERVER_UNREACHABLE") this.hasAnswered = true;
        this.onAnswer(slot, failure);
      },
      onLost: (why) => {
        lost = why;
        if (this.connection === connection) this.connection = undefined;
      },
    });
    if (this.isClosed) {
      connection.close();
      return;
    }
    if (lost !== undefined) throw lostAtOnce(lost);
    this.connection = connection;
    for (const slot of this.waiting.splice(0)) this.call(slot);
  }
}

function lostAtOnce(why: string): AssayError {
  return new AssayError(Reason.SERVER_UNREACHABLE, `the connection was lost as soon as it was open: ${why}`);
}
