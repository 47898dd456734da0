import type { SourceInput, TableFormat } from "../table-source.ts";

/** The facts that decide the result: a run goes on from an earlier one's parts only where all of them are equal. */
export interface ManifestFingerprint {
  readonly inputs: readonly SourceInput[];
  readonly model: { readonly name: string; readonly version: string; readonly sha256: string };
  /** By the name of the flag, `--keep` and so on, the value as a message should show it. */
  readonly settings: Readonly<Record<string, string>>;
}

/** One part file. The rows are those of the input, from 0. */
export interface ManifestPart {
  readonly file: string;
  readonly fromRow: number;
  readonly inputRows: number;
  readonly rows: number;
  readonly errorRows: number;
  /** The file has the column of messages. */
  readonly hasErrors: boolean;
  readonly sizeBytes: number;
  /** About how much memory the rows take. */
  readonly dataBytes: number;
}

/** A file as it is told from another of the same name; a rename keeps all three. */
export interface FileIdentity {
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  readonly inode: number;
}

/** The file `manifest.json` beside the parts. */
export interface Manifest {
  readonly manifestVersion: number;
  readonly state: "writing" | "joining" | "renaming";
  readonly fingerprint: ManifestFingerprint;
  readonly output: {
    readonly format: TableFormat;
    readonly columns: readonly { readonly name: string; readonly type: string }[];
  };
  readonly parts: readonly ManifestPart[];
  /** The joined file; only in state `renaming`. */
  readonly joined?: FileIdentity;
}

/** The version of the manifest's form; another one is not read. */
export const MANIFEST_VERSION = 2;

/** Reads the text of a manifest; undefined where it is none, or of another version. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(text) as Manifest;
    return manifest.manifestVersion === MANIFEST_VERSION ? manifest : undefined;
  } catch {
    return undefined;
  }
}
