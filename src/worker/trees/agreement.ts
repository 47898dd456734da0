/** Scores of the kernel and of ONNX Runtime may differ by so much, and by so much of the score. */
const TOLERANCE = 1e-6;

/** Outputs by name. */
export type Outputs = Readonly<
  Record<string, { readonly type: string; readonly dims: readonly number[]; readonly data: unknown }>
>;

/**
 * Compares what the kernel gives with what ONNX Runtime gives for the same rows: undefined where they agree, else what differs, in
 * words. Labels may differ only where the two largest scores of `ranking`, the row's scores before anything else, are as near as scores may be.
 */
export function disagreement(
  expected: Outputs,
  given: Outputs,
  ranking: string | undefined,
): string | undefined {
  const names = Object.keys(given);
  for (const name of names) {
    const want = expected[name];
    const got = given[name]!;
    if (want === undefined) return `output "${name}" is not there`;
    if (want.type !== got.type) return `output "${name}" is ${want.type}, not ${got.type}`;
    if (`${want.dims}` !== `${got.dims}`)
      return `output "${name}" has the shape [${want.dims}], not [${got.dims}]`;
    const wanted = want.data as ArrayLike<number | bigint | string>;
    const came = got.data as ArrayLike<number | bigint | string>;
    for (let at = 0; at < wanted.length; at++) {
      if (agree(wanted[at]!, came[at]!)) continue;
      const isLabel = typeof wanted[at] !== "number";
      const rows = want.dims[0] ?? 1;
      const row = Math.floor(at / (wanted.length / rows));
      if (isLabel && ranking !== undefined && isTie(expected[ranking], row)) continue;
      return `output "${name}" of a row is ${wanted[at]}, not ${came[at]}`;
    }
  }
  return undefined;
}

function agree(want: number | bigint | string, got: number | bigint | string): boolean {
  if (want === got) return true;
  if (typeof want !== "number" || typeof got !== "number") return false;
  if (Number.isNaN(want) && Number.isNaN(got)) return true;
  // An infinity is as near to nothing but itself.
  return Number.isFinite(want) && Math.abs(want - got) <= TOLERANCE + TOLERANCE * Math.abs(want);
}

function isTie(scores: Outputs[string] | undefined, row: number): boolean {
  const width = scores?.dims[1] ?? 0;
  if (scores === undefined || width < 2) return false;
  const data = scores.data as ArrayLike<number>;
  const sorted = Array.from({ length: width }, (_, column) => data[row * width + column]!).sort(
    (a, b) => b - a,
  );
  return agree(sorted[0]!, sorted[1]!);
}
