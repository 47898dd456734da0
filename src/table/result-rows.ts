/** Columns that the result table has beside those that are kept. */
export interface ResultColumns {
  /** Taken from each chunk's vectors, by position in it. */
  readonly keep: readonly { readonly name: string; readonly vectorIndex: number }[];
  readonly hasScore: boolean;
  readonly hasLabel: boolean;
  /** The labels that come, as far as they are known: with them a label costs a byte on its way. Default: not known. */
  readonly knownLabels?: readonly string[];
  /** The classes whose probabilities are written, each as `probability_<class>`; empty for none. */
  readonly probabilities: readonly string[];
  readonly modelVersion: string;
  /** Leave out rows that have an error. */
  readonly skipErrors: boolean;
}

/** The results of one chunk's rows, in their order. A row that has an error has no score, label or probability. */
export interface ResultRows {
  readonly rowCount: number;
  readonly scores: Float64Array;
  readonly labels: readonly (string | undefined)[];
  /** Row by row, one value a class. */
  readonly probabilities: Float64Array;
  /** By row in the chunk. */
  readonly errors: ReadonlyMap<number, string>;
}
