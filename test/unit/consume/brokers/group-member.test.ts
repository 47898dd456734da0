import { EventEmitter } from "node:events";
import type { GroupAssignment } from "@platformatic/kafka";
import { expect, test } from "vitest";
import type { OctetConsumer } from "../../../../src/consume/brokers/broker-clients.ts";
import { GroupMember } from "../../../../src/consume/brokers/group-member.ts";

/** What a member reads of the client, and what the client sets. */
class FakeConsumer extends EventEmitter {
  memberId: string | null = null;
  generationId = 0;
  assignments: GroupAssignment[] | null = null;
  readonly topics = { track: () => true };

  /** A generation begins. */
  joined(memberId: string, generationId: number): void {
    this.memberId = memberId;
    this.generationId = generationId;
  }

  /** Its partitions are known. */
  assign(...partitions: number[]): void {
    this.assignments = [{ topic: "rows", partitions }];
  }
}

function memberOf(consumer: FakeConsumer) {
  const told: string[] = [];
  const member = new GroupMember(consumer as unknown as OctetConsumer, "rows", {
    onOwned: (partitions) => told.push(`own ${partitions}`),
    onLost: (partitions) => told.push(`lose ${partitions}`),
    onRebalance: () => {},
    onTrouble: () => {},
  });
  return { member, told };
}

test("until its partitions of a generation are known it is whom the last ones were given to", () => {
  const consumer = new FakeConsumer();
  const { member, told } = memberOf(consumer);
  consumer.joined("a", 1);
  expect(member.membership).toBeUndefined();
  consumer.assign(0, 1);
  expect(member.membership).toEqual({ memberId: "a", generationId: 1 });
  consumer.joined("a", 2);
  expect(member.membership).toEqual({ memberId: "a", generationId: 1 });
  consumer.assign(1);
  expect(member.membership).toEqual({ memberId: "a", generationId: 2 });
  expect(told).toEqual(["own 0,1", "lose 0"]);
});

test("who was thrown out has lost all, and is nobody until it has joined again", () => {
  const consumer = new FakeConsumer();
  const { member, told } = memberOf(consumer);
  consumer.joined("a", 1);
  consumer.assign(0);
  consumer.assignments = [];
  consumer.memberId = null;
  expect(member.membership).toBeUndefined();
  consumer.joined("b", 3);
  consumer.assign(0);
  expect(member.membership).toEqual({ memberId: "b", generationId: 3 });
  expect(told).toEqual(["own 0", "lose 0", "own 0"]);
});
