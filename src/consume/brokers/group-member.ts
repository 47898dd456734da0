/**
 * This process as a member of its group: which partitions it owns, and under which generation.
 * Promises: a partition that is taken away, if only for a moment, is told lost before anybody else can be given it; one that stays
 * across a rebalance is told nothing, and goes on; who was thrown out joins again, without an end.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { GroupAssignment } from "@platformatic/kafka";
import type { OctetConsumer } from "./broker-clients.ts";

/** Who may commit: taken at the start of a transaction, so that one that began before a rebalance is refused after it. */
export interface Membership {
  readonly memberId: string;
  readonly generationId: number;
}

/** Told of partitions; called while the client works, so that they must not throw. */
export interface MemberHandlers {
  onOwned(partitions: readonly number[]): void;
  onLost(partitions: readonly number[]): void;
  onRebalance(): void;
  onTrouble(error: unknown): void;
}

const REJOIN_DELAY_MS = 1_000;

/** A member of a group that reads one topic. */
export class GroupMember {
  private readonly consumer: OctetConsumer;
  private readonly topic: string;
  private readonly handlers: MemberHandlers;
  private assignments: GroupAssignment[] | null = null;
  /** As whom its partitions were given to it. */
  private joined: Membership | undefined;
  private owned = new Set<number>();
  private isLeaving = false;
  private isJoining = false;
  private watching: NodeJS.Timeout | undefined;

  constructor(consumer: OctetConsumer, topic: string, handlers: MemberHandlers) {
    this.consumer = consumer;
    this.topic = topic;
    this.handlers = handlers;
    const member = this;
    // The client tells of what it has joined with, and not of what it lost on the way there.
    Object.defineProperty(consumer, "assignments", {
      get() {
        return member.assignments;
      },
      set(next: GroupAssignment[] | null) {
        member.assignments = next;
        member.joined = member.named();
        member.onAssignments(next ?? []);
      },
    });
    consumer.on("consumer:group:join", () => handlers.onRebalance());
    consumer.on("consumer:heartbeat:error", ({ error }) => handlers.onTrouble(error));
    // A rejoin that failed: the client then does nothing more.
    (consumer as unknown as NodeJS.EventEmitter).on("error", (error: unknown) => {
      handlers.onTrouble(error);
      void this.rejoin();
    });
    consumer.topics.track(topic);
  }

  /**
   * Undefined: it is no member at the moment. While it joins again it is whom its partitions were given to: the client is of the next
   * generation as soon as that begins, and brokers take its offsets, before it knows which partitions are still its own.
   */
  get membership(): Membership | undefined {
    return this.named() === undefined ? undefined : this.joined;
  }

  /** Joins the group. */
  async join(): Promise<void> {
    await this.consumer.joinGroup({});
  }

  /**
   * Looks every so often how many partitions the topic has, at first `count`, and joins again where that has changed: the member that
   * leads the group then shares the new ones.
   */
  watchPartitions(count: number, everyMs: number): void {
    let known = count;
    this.watching = setInterval(() => {
      this.consumer.metadata({ topics: [this.topic], forceUpdate: true }).then(
        ({ topics }) => {
          const found = topics.get(this.topic)?.partitionsCount ?? known;
          if (found === known || this.isLeaving) return;
          known = found;
          void this.rejoin(0);
        },
        // Brokers that are away are told of by heartbeats.
        () => {},
      );
    }, everyMs);
    this.watching.unref();
  }

  /** Leaves the group, so that others have its partitions at once. */
  async leave(): Promise<void> {
    this.isLeaving = true;
    clearInterval(this.watching);
    await this.consumer.leaveGroup(true);
  }

  private named(): Membership | undefined {
    const { memberId, generationId } = this.consumer;
    return memberId === null || memberId === "" ? undefined : { memberId, generationId };
  }

  private async rejoin(delayMs = REJOIN_DELAY_MS): Promise<void> {
    if (this.isJoining) return;
    this.isJoining = true;
    for (let attempt = 0; !this.isLeaving; attempt++) {
      await delay(attempt === 0 ? delayMs : REJOIN_DELAY_MS);
      try {
        if (!this.isLeaving) await this.consumer.joinGroup({});
        break;
      } catch (error) {
        this.handlers.onTrouble(error);
      }
    }
    this.isJoining = false;
  }

  private onAssignments(assignments: readonly GroupAssignment[]): void {
    const next = new Set(assignments.find(({ topic }) => topic === this.topic)?.partitions);
    const lost = [...this.owned].filter((partition) => !next.has(partition));
    const gained = [...next].filter((partition) => !this.owned.has(partition));
    this.owned = next;
    if (lost.length > 0) this.handlers.onLost(lost);
    if (gained.length > 0) this.handlers.onOwned(gained);
  }
}
