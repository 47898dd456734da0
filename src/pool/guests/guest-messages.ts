/**
 * What a pool and its guests say to each other. A guest is a pool in another thread that feeds the sessions of this one, the host's,
 * through channels of its own: the host starts, moves and ends sessions, guests follow.
 */
import type { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, withoutStack } from "../../errors.ts";
import type { GuestChannel } from "../../worker/channel.ts";
import type { InstanceStatus } from "../pool.ts";

/** An error on its way to another thread. */
export interface ToldError {
  readonly reason: Reason;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}

/** The state of a host's instances. */
export interface HostState {
  readonly instances: readonly InstanceStatus[];
  readonly liveCount: number;
  readonly outage: ToldError | undefined;
}

/** What a host tells. Lives of an instance are numbered; a new one that is up takes the place of the one before, which ends its run. */
export type HostMessage =
  | { readonly kind: "state"; readonly state: HostState }
  | {
      readonly kind: "up";
      readonly instance: number;
      readonly life: number;
      readonly bell: SharedArrayBuffer;
    }
  | {
      readonly kind: "down";
      readonly instance: number;
      /** Rows that it was given and did not answer were not begun, and go to the next life; else they are lost. */
      readonly keepsRows: boolean;
      readonly error: ToldError | undefined;
    };

/** What a guest asks of a life, which may have ended meanwhile. */
export type GuestMessage = { readonly instance: number; readonly life: number } & (
  | { readonly kind: "join"; readonly channel: GuestChannel }
  /** A run of the guest took longer than the run time-out. */
  | { readonly kind: "hung" }
  /** Its runs are too long for the thread that it shares with other models. */
  | { readonly kind: "long-runs" }
);

/** An error as it is told. */
export function toldError(error: AssayError): ToldError {
  const { reason, message, retryAfterMs } = error;
  return { reason, message, retryAfterMs };
}

/** The error that was told. */
export function heardError(told: ToldError): AssayError {
  const { reason, message, retryAfterMs } = told;
  return withoutStack(
    () => new AssayError(reason, message, retryAfterMs === undefined ? {} : { retryAfterMs }),
  );
}
