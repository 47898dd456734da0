import { type Alarm, createAlarm } from "../../timing/alarm.ts";
import { DeadlineWheel, type Timed } from "../../timing/deadline-wheel.ts";

/** A call that waits for its deadline. */
export interface TimedCall extends Timed<TimedCall> {
  /** Its deadline has passed, and it is in the wheel no more. */
  onDue(): void;
}

/** Calls that end at the same time are failed so many a turn of the event loop. */
const FAILED_A_TURN = 256;

/**
 * The deadlines of all calls at the edge, on one timer: a timer object a call is a tenth of what a small call costs. Holds nothing
 * open by itself.
 */
export class CallDeadlines {
  private readonly wheel = new DeadlineWheel<TimedCall>(performance.now());
  private readonly alarm: Alarm = createAlarm((now) => this.ring(now), true);

  /** The call is told at its `deadlineAt`, unless it is removed before. */
  add(call: TimedCall): void {
    this.wheel.add(call);
    this.alarm.set(call.deadlineAt);
  }

  /** It must have been added, and not be due. */
  remove(call: TimedCall): void {
    this.wheel.remove(call);
  }

  private ring(now: number): number {
    const late = this.wheel.late(now, FAILED_A_TURN);
    for (const call of late) this.wheel.remove(call);
    for (const call of late) call.onDue();
    return late.length === FAILED_A_TURN ? now : this.wheel.nextAt;
  }
}
