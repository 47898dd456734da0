/** A record of the input topic, as it passes through. */
export interface InputRecord {
  readonly offset: bigint;
  /** Milliseconds since 1970, as the record has it. */
  readonly timestamp: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[];
}

/** What a record costs beside its octets: objects, offsets, its place in lists. */
export const OVERHEAD_BYTES = 200;

/** About how much memory a record holds. */
export function recordBytes({ key, value, headers }: InputRecord): number {
  let bytes = OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, content] of headers) bytes += (name?.length ?? 0) + (content?.length ?? 0);
  return bytes;
}

/** A message of the output topic or of the one for dead letters. */
export interface OutputMessage {
  readonly topic: string;
  readonly partition: number;
  readonly timestamp: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Map<Buffer, Buffer>;
}
