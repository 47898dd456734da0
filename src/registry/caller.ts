/** Who calls, as the edge made it out; each call carries it, and the registry asks for it wherever a model is named. */
export interface Caller {
  /** For logs; empty where the caller did not say. */
  readonly id: string;
}

/** Whoever brings no identity. It may call every model. */
export const ANONYMOUS: Caller = { id: "" };
