/** What stands in `Members`, which keeps its place in it; made with -1. It stands in one of them at a time. */
export interface Member {
  place: number;
}

/**
 * Things that come and go by the thousand a second, in no order. No `Set`, nor a `Map`: each time one makes room, the table that it
 * leaves behind points to the one that it goes on with, and still to what stood in it; once such a table is old, collections of the young
 * find all that ever came behind it alive, until the next collection of the whole heap. Adding and deleting take constant time.
 */
export class Members<T extends Member> {
  private readonly list: T[] = [];

  get size(): number {
    return this.list.length;
  }

  /** It must stand nowhere. */
  add(member: T): void {
    member.place = this.list.push(member) - 1;
  }

  /** Does nothing where it does not stand here. */
  delete(member: T): void {
    const { list } = this;
    const { place } = member;
    if (list[place] !== member) return;
    const last = list.pop()!;
    if (last !== member) {
      list[place] = last;
      last.place = place;
    }
    member.place = -1;
  }

  /** Over those that stand here now, whoever comes or goes meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return [...this.list][Symbol.iterator]();
  }
}
