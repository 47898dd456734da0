/**
 * Trees in one form: each branch goes right where the number of a plane is greater than its threshold, else left. A plane is what
 * a column says to some of the branches, so that whatever is special (missing values, equality, sets, double precision) is done
 * once a row and not once a node.
 */
import { type TreeEnsemble, TreeError, type TreeNodes } from "../../model/trees/tree-ensemble.ts";
import { doubleBelow, floatBelow } from "./neighbour.ts";

/** One number a row, made of one column. */
export interface Plane {
  readonly feature: number;
  /**
   * `value`: the column's number; NaN goes left everywhere. `high`: the same with infinity for NaN, so that it goes right.
   * `flag`: 1 where the column is one of `equals`, or NaN and `nanIsFlag`; else 0.
   */
  readonly kind: "value" | "high" | "flag";
  readonly equals: readonly number[];
  readonly nanIsFlag: boolean;
  /** Ascending, where the plane has their count below the column's number in its place: double precision does not fit a plane. */
  readonly cuts: Float64Array | undefined;
}

/** A tree, its nodes breadth first: siblings stand side by side, the left one at an even place; the root at 0, nothing at 1. */
export interface SplitTree {
  /** The plane of a branch; -1 for a leaf. */
  readonly planes: readonly number[];
  readonly thresholds: readonly number[];
  /** Of a branch: the place of its left child. Of a leaf: its number from left to right. */
  readonly targets: readonly number[];
  /** The leaves from left to right, as nodes of the ensemble. */
  readonly leaves: readonly number[];
}

/** All trees of an ensemble. */
export interface SplitTrees {
  readonly planes: readonly Plane[];
  readonly trees: readonly SplitTree[];
}

/** Where a node leads: on to another one whatever comes, or by a plane. */
type Branch =
  | { readonly kind: "leaf" }
  | { readonly kind: "always"; readonly child: number }
  | {
      readonly kind: "split";
      readonly plane: number;
      readonly threshold: number;
      readonly left: number;
      readonly right: number;
    };

type BranchAt = (node: number) => Branch;

/** Converts an ensemble's trees. Throws TreeError for branches that lead back, or that many others share. */
export function splitTrees(ensemble: TreeEnsemble): SplitTrees {
  const planes = new PlaneList(ensemble.isDouble);
  const { length } = ensemble.nodes.modes;
  const known = new Array<Branch | undefined>(length).fill(undefined);
  // Of nodes that nothing leads to, as in a chain that became one set, no plane is made.
  const branchAt: BranchAt = (node) => {
    const branch = known[node] ?? branchOf(ensemble.nodes, node, planes);
    known[node] = branch;
    return branch;
  };
  // Files may let branches share what follows them; here each has its own.
  let budget = 2 * length + 64;
  const trees = ensemble.roots.map((root) => {
    const tree = splitTree(root, branchAt, length, budget);
    budget -= tree.planes.length;
    return tree;
  });
  return planes.finish(trees);
}

class PlaneList {
  readonly #isDouble: boolean;
  readonly #planes: Omit<Plane, "cuts">[] = [];
  readonly #places = new Map<string, number>();
  readonly #values = new Map<number, number>();
  readonly #highs = new Map<number, number>();
  readonly #cuts = new Map<number, Set<number>>();

  constructor(isDouble: boolean) {
    this.#isDouble = isDouble;
  }

  /** The next smaller number. */
  below(value: number): number {
    return this.#isDouble ? doubleBelow(value) : floatBelow(value);
  }

  number(feature: number, kind: "value" | "high", cut: number): number {
    const known = kind === "high" ? this.#highs : this.#values;
    let place = known.get(feature);
    if (place === undefined) {
      place = this.#planes.push({ feature, kind, equals: [], nanIsFlag: false }) - 1;
      known.set(feature, place);
    }
    if (this.#isDouble) {
      const cuts = this.#cuts.get(place) ?? new Set();
      this.#cuts.set(place, cuts.add(cut));
    }
    return place;
  }

  flag(feature: number, equals: readonly number[], nanIsFlag: boolean): number {
    const key = `${feature} ${nanIsFlag} ${equals}`;
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.#planes.length);
    return this.#planes.push({ feature, kind: "flag", equals, nanIsFlag }) - 1;
  }

  /** What double precision compares with becomes a count, once all of it is known. */
  finish(trees: readonly SplitTree[]): SplitTrees {
    const cuts = this.#planes.map((_, place) => {
      const set = this.#cuts.get(place);
      return set === undefined ? undefined : Float64Array.from(set).sort();
    });
    const counts = cuts.map((sorted) => sorted && new Map(Array.from(sorted, (cut, count) => [cut, count])));
    const counted = trees.map((tree) => ({
      ...tree,
      thresholds: tree.thresholds.map((threshold, at) => {
        const count = counts[tree.planes[at]!]?.get(threshold);
        return count === undefined ? threshold : count + 0.5;
      }),
    }));
    return {
      planes: this.#planes.map((plane, place) => ({ ...plane, cuts: cuts[place] })),
      trees: this.#isDouble ? counted : trees,
    };
  }
}

function branchOf(nodes: TreeNodes, node: number, planes: PlaneList): Branch {
  const mode = nodes.modes[node]!;
  if (mode === "LEAF") return { kind: "leaf" };
  const whenTrue = nodes.trueChildren[node]!;
  const whenFalse = nodes.falseChildren[node]!;
  if (whenTrue === whenFalse) return { kind: "always", child: whenTrue };
  const feature = nodes.features[node]!;
  const whenNan = nodes.missingIsTrue[node] === true || mode === "NEQ" ? whenTrue : whenFalse;
  /** All numbers take one branch, and only NaN may take the other. */
  const unlessNan = (child: number): Branch =>
    whenNan === child
      ? { kind: "always", child }
      : { kind: "split", plane: planes.flag(feature, [], true), threshold: 0.5, left: child, right: whenNan };
  const value = nodes.values[node]!;
  if (mode === "EQ" || mode === "NEQ" || mode === "MEMBER") {
    const chain = mode === "NEQ" ? { values: [value], end: whenTrue } : followChain(nodes, node);
    const equals = chain.values.filter((one) => !Number.isNaN(one));
    const right = mode === "NEQ" ? whenFalse : whenTrue;
    const left = chain.end;
    if (equals.length === 0) return unlessNan(left);
    const plane = planes.flag(feature, equals, whenNan === right);
    return { kind: "split", plane, threshold: 0.5, left, right };
  }
  if (Number.isNaN(value)) return unlessNan(whenFalse);
  const isLess = mode === "LEQ" || mode === "LT";
  const left = isLess ? whenTrue : whenFalse;
  const right = isLess ? whenFalse : whenTrue;
  const isInclusive = mode === "LT" || mode === "GTE";
  if (isInclusive && value === Number.NEGATIVE_INFINITY) return unlessNan(right);
  const threshold = isInclusive ? planes.below(value) : value;
  if (threshold === Number.POSITIVE_INFINITY) return unlessNan(left);
  const plane = planes.number(feature, whenNan === right ? "high" : "value", threshold);
  return { kind: "split", plane, threshold, left, right };
}

/**
 * Sets of categories are written as a chain of equalities that share their true branch: it is one set, and its end where none of
 * them holds.
 */
function followChain(nodes: TreeNodes, first: number): { readonly values: number[]; readonly end: number } {
  const values: number[] = [];
  let at = first;
  do {
    values.push(...(nodes.members.get(at) ?? [nodes.values[at]!]));
    at = nodes.falseChildren[at]!;
  } while (
    (nodes.modes[at] === "EQ" || nodes.modes[at] === "MEMBER") &&
    nodes.features[at] === nodes.features[first] &&
    nodes.trueChildren[at] === nodes.trueChildren[first] &&
    nodes.missingIsTrue[at] === nodes.missingIsTrue[first] &&
    values.length < nodes.modes.length
  );
  return { values, end: at };
}

function splitTree(root: number, branchAt: BranchAt, nodeCount: number, budget: number): SplitTree {
  const planes: number[] = [];
  const thresholds: number[] = [];
  const targets: number[] = [];
  // Nothing stands beside the root.
  const nodes = [skipAlways(root, branchAt, nodeCount), -1];
  for (let at = 0; at < nodes.length; at++) {
    if (nodes.length > budget) throw new TreeError("its branches lead back, or share too many nodes");
    const branch = nodes[at] === -1 ? undefined : branchAt(nodes[at]!);
    if (branch?.kind === "split") {
      planes.push(branch.plane);
      thresholds.push(branch.threshold);
      targets.push(nodes.length);
      nodes.push(skipAlways(branch.left, branchAt, nodeCount), skipAlways(branch.right, branchAt, nodeCount));
    } else {
      planes.push(-1);
      thresholds.push(0);
      targets.push(0);
    }
  }
  const leaves: number[] = [];
  const open = [0];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (planes[at] === -1) targets[at] = leaves.push(nodes[at]!) - 1;
    else open.push(targets[at]! + 1, targets[at]!);
  }
  return { planes, thresholds, targets, leaves };
}

function skipAlways(node: number, branchAt: BranchAt, nodeCount: number): number {
  let at = node;
  for (let steps = 0; steps <= nodeCount; steps++) {
    const branch = branchAt(at);
    if (branch.kind !== "always") return at;
    at = branch.child;
  }
  throw new TreeError("its branches lead back");
}
