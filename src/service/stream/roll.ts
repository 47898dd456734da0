/** A member of a roll; `rollIndex` is the roll's own, -1 outside of one. */
export interface RollMember {
  rollIndex: number;
}

/**
 * Who is there, in no order; every operation but `snapshot` takes constant time. Not a Map nor a Set: as members come and go these
 * replace their tables, and a table that was replaced refers to the next one and to all that it held, so that once one is old every
 * item since survives until V8's full collection.
 */
export class Roll<T extends RollMember> {
  private readonly members: T[] = [];

  get size(): number {
    return this.members.length;
  }

  add(member: T): void {
    member.rollIndex = this.members.length;
    this.members.push(member);
  }

  /** False where it was not there. */
  remove(member: T): boolean {
    const { members } = this;
    const { rollIndex } = member;
    if (rollIndex === -1) return false;
    member.rollIndex = -1;
    const last = members.pop()!;
    if (last !== member) {
      members[rollIndex] = last;
      last.rollIndex = rollIndex;
    }
    return true;
  }

  /** Those who are there now; members may be added and removed meanwhile. */
  snapshot(): T[] {
    return this.members.slice();
  }
}
