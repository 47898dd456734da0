import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { listed, shownName } from "../wording/field-paths.ts";

/** How fast a caller may send; counted in common for all that it sends, whatever connection and edge it comes by. */
export interface CallerRate {
  /** Counts a request where one more may come now, and answers 0; else how many milliseconds to wait, and counts nothing. */
  takeRequest(): number;
  /** Counts rows that were taken; they may be more than what is left, and then the caller waits the longer. */
  countRows(rowCount: number): void;
}

/** Who calls, as the edge made it out; each call carries it, and the registry asks for it wherever a model is named. */
export interface Caller {
  /** For logs; empty where the caller did not say. Never a key or a token. */
  readonly id: string;
  /** Whether it may use a model and know that there is one of that name: asked anew for each request and each item of a stream. */
  mayUse(modelName: string): boolean;
  /** Whether it may load and unload the models that it may use. */
  readonly isAdmin: boolean;
  readonly readsMetrics: boolean;
  /** Why nothing is served to it by now, as where its key was taken out; undefined: it is served. */
  refusal(): AssayError | undefined;
  /** Undefined: as fast as it likes. */
  readonly rate: CallerRate | undefined;
}

/** Whoever calls a server that asks nobody who they are. It may do everything. */
export const ANONYMOUS: Caller = {
  id: "",
  mayUse: () => true,
  isAdmin: true,
  readsMetrics: true,
  refusal: () => undefined,
  rate: undefined,
};

/** Whoever brings nothing to a server that asks, where it answers anybody: that it lives, and whether it is ready. */
export const STRANGER: Caller = {
  id: "",
  mayUse: () => false,
  isAdmin: false,
  readsMetrics: false,
  refusal: () => undefined,
  rate: undefined,
};

/** The models of a list that a caller may know of. */
export function visibleTo<T extends { readonly modelName: string }>(
  models: readonly T[],
  caller: Caller,
): readonly T[] {
  return caller === ANONYMOUS ? models : models.filter(({ modelName }) => caller.mayUse(modelName));
}

/**
 * Throws PERMISSION_DENIED where a caller may not use a model, in the same words whether there is one of that name or not; UNAUTHENTICATED
 * where nothing is served to it any more. `names`: the models that there are.
 */
export function checkModel(caller: Caller, modelName: string, names: Iterable<string>): void {
  const refusal = caller.refusal();
  if (refusal !== undefined) throw refusal;
  if (caller.mayUse(modelName)) return;
  const own = [...names].filter((name) => caller.mayUse(name)).sort();
  const may = own.length === 0 ? "it may use none of this server's" : `it may use ${listed(own)}`;
  throw new AssayError(
    Reason.PERMISSION_DENIED,
    `${shownCaller(caller)} may not use the model ${shownName(modelName)}; ${may}`,
  );
}

/** A caller in a message to itself. */
export function shownCaller({ id }: Caller): string {
  return id === "" ? "whoever brings no key" : `the key or token of ${shownName(id)}`;
}
