import { expect, test } from "vitest";
import type { FileIdentity, Manifest, ManifestPart } from "../../../../src/table/write/manifest.ts";
import { type FolderState, type ResumeStep, resumeStep } from "../../../../src/table/write/resume-policy.ts";

const OURS: FileIdentity = { sizeBytes: 300, modifiedAtMs: 1000, inode: 7 };
const OTHER: FileIdentity = { sizeBytes: 300, modifiedAtMs: 1000, inode: 8 };
const PARTS: ManifestPart[] = [0, 1, 2].map((index) => ({
  file: `part-${index}`,
  fromRow: index * 10,
  inputRows: 10,
  rows: 10,
  errorRows: 0,
  hasErrors: false,
  sizeBytes: 100 + index,
  dataBytes: 80,
}));
const ALL = new Map(PARTS.map(({ file, sizeBytes }) => [file, sizeBytes]));
const SHORTER = new Map([...ALL, ["part-1", 17]]);
const MISSING = new Map([...ALL].slice(1));

function manifest(state: Manifest["state"]): Manifest {
  const fingerprint = { inputs: [], model: { name: "m", version: "1", sha256: "" }, settings: {} };
  const output = { format: "parquet" as const, columns: [] };
  const whole: Manifest = { manifestVersion: 1, state, fingerprint, output, parts: PARTS };
  return state === "renaming" ? { ...whole, joined: OURS } : whole;
}

type Row = [
  title: string,
  state: Manifest["state"] | undefined,
  sizes: ReadonlyMap<string, number>,
  joined: FileIdentity | undefined,
  output: FileIdentity | undefined,
  step: ResumeStep,
];

const TABLE: Row[] = [
  ["an empty folder", undefined, new Map(), undefined, undefined, { kind: "start" }],
  ["files without a manifest", undefined, ALL, OURS, undefined, { kind: "start" }],
  ["a foreign output", undefined, new Map(), undefined, OTHER, { kind: "refuse" }],
  ["parts", "writing", ALL, undefined, undefined, { kind: "write", keptParts: 3 }],
  ["parts and a half-written join", "writing", ALL, OTHER, undefined, { kind: "write", keptParts: 3 }],
  ["parts and a foreign output", "writing", ALL, undefined, OTHER, { kind: "refuse" }],
  ["a part of another size", "writing", SHORTER, undefined, undefined, { kind: "write", keptParts: 1 }],
  ["no first part", "writing", MISSING, undefined, undefined, { kind: "write", keptParts: 0 }],
  ["every row scored", "joining", ALL, undefined, undefined, { kind: "join", keptParts: 3 }],
  ["every row scored, joined in part", "joining", ALL, OTHER, undefined, { kind: "join", keptParts: 3 }],
  [
    "every row scored, a part gone",
    "joining",
    MISSING,
    undefined,
    undefined,
    { kind: "write", keptParts: 0 },
  ],
  ["every row scored, a foreign output", "joining", ALL, undefined, OTHER, { kind: "refuse" }],
  ["joined, not renamed", "renaming", ALL, OURS, undefined, { kind: "rename", keptParts: 3 }],
  [
    "joined, not renamed, parts gone",
    "renaming",
    new Map(),
    OURS,
    undefined,
    { kind: "rename", keptParts: 3 },
  ],
  ["joined, not renamed, a foreign output", "renaming", ALL, OURS, OTHER, { kind: "refuse" }],
  ["renamed", "renaming", ALL, undefined, OURS, { kind: "clean", keptParts: 3 }],
  ["renamed, cleared in part", "renaming", new Map(), undefined, OURS, { kind: "clean", keptParts: 3 }],
  ["renamed, then replaced by another", "renaming", ALL, undefined, OTHER, { kind: "refuse" }],
  ["renamed, then deleted", "renaming", ALL, undefined, undefined, { kind: "join", keptParts: 3 }],
  [
    "renamed, cleared in part, then deleted",
    "renaming",
    new Map(),
    undefined,
    undefined,
    { kind: "write", keptParts: 0 },
  ],
  ["another joined file", "renaming", ALL, OTHER, undefined, { kind: "join", keptParts: 3 }],
];

test.each(TABLE)("%s in state %s", (_, state, sizes, joined, output, step) => {
  const found: FolderState = {
    manifest: state && manifest(state),
    sizes,
    joined,
    output,
    overwrite: false,
  };
  expect(resumeStep(found)).toEqual(step);
});

test("an output that is to be overwritten changes nothing, whatever is found", () => {
  for (const [title, state, sizes, joined, output, step] of TABLE) {
    if (output === undefined || step.kind === "clean") continue;
    const found = { manifest: state && manifest(state), sizes, joined, overwrite: true };
    expect(resumeStep({ ...found, output }), title).toEqual(resumeStep({ ...found, output: undefined }));
  }
});
