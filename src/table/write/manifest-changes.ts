import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { counted } from "../../wording/counted.ts";
import type { Manifest, ManifestFingerprint } from "./manifest.ts";

/** A difference that keeps a run from going on where another stopped. */
export interface ManifestChange {
  /** TABLE_INVALID for the input, CONFIG_INVALID for the model and the settings. */
  readonly reason: Reason;
  readonly text: string;
}

/** The differences between the run that left a manifest and this one, by name; empty where this one may go on. */
export function manifestChanges(
  before: Pick<Manifest, "fingerprint" | "output">,
  now: Pick<Manifest, "fingerprint" | "output">,
): ManifestChange[] {
  return [
    ...inputChanges(before.fingerprint, now.fingerprint),
    ...modelChanges(before.fingerprint, now.fingerprint),
    ...settingChanges(before.fingerprint, now.fingerprint),
    ...outputChanges(before.output, now.output),
  ];
}

function inputChanges(before: ManifestFingerprint, now: ManifestFingerprint): ManifestChange[] {
  const changes: string[] = [];
  const left = new Map(before.inputs.map((input) => [input.name, input]));
  const came = new Map(now.inputs.map((input) => [input.name, input]));
  for (const input of before.inputs) {
    const other = came.get(input.name);
    if (other === undefined) changes.push(`${input.name} was read and is not there now`);
    else if (other.sizeBytes !== input.sizeBytes) {
      changes.push(
        `${input.name} was ${counted(input.sizeBytes, "byte")} and is ${counted(other.sizeBytes, "byte")}`,
      );
    } else if (other.modifiedAtMs !== input.modifiedAtMs) {
      changes.push(
        `${input.name} was written ${time(input.modifiedAtMs)} and is now of ${time(other.modifiedAtMs)}`,
      );
    }
  }
  for (const input of now.inputs) if (!left.has(input.name)) changes.push(`${input.name} is new`);
  const sameNames = changes.length === 0 && before.inputs.length === now.inputs.length;
  if (sameNames && before.inputs.some(({ name }, index) => name !== now.inputs[index]!.name)) {
    changes.push(`the files were read in the order ${names(before)} and are now in the order ${names(now)}`);
  }
  return changes.map((text) => ({ reason: Reason.TABLE_INVALID, text }));
}

function modelChanges(
  { model: before }: ManifestFingerprint,
  { model: now }: ManifestFingerprint,
): ManifestChange[] {
  const version = (model: ManifestFingerprint["model"]) =>
    `version ${model.version} (sha256 ${model.sha256.slice(0, 12)})`;
  if (before.name !== now.name) return [setting(`the model was ${before.name} and is ${now.name}`)];
  if (before.version === now.version && before.sha256 === now.sha256) return [];
  return [setting(`model ${now.name} was ${version(before)} and is ${version(now)}`)];
}

function settingChanges(before: ManifestFingerprint, now: ManifestFingerprint): ManifestChange[] {
  const flags = new Set([...Object.keys(before.settings), ...Object.keys(now.settings)]);
  const shown = (value: string | undefined) => (value === undefined ? "not given" : JSON.stringify(value));
  return (
    [...flags]
      .filter((flag) => before.settings[flag] !== now.settings[flag])
      // What was written until a row failed has no failed rows, so that it fits either way of going on.
      .filter((flag) => flag !== "--on-error" || before.settings[flag] !== "fail")
      .map((flag) =>
        setting(`${flag} was ${shown(before.settings[flag])} and is ${shown(now.settings[flag])}`),
      )
  );
}

function outputChanges(before: Manifest["output"], now: Manifest["output"]): ManifestChange[] {
  const changes: ManifestChange[] = [];
  if (before.format !== now.format)
    changes.push(setting(`the output's format was ${before.format} and is ${now.format}`));
  const columns = (output: Manifest["output"]) =>
    output.columns.map(({ name, type }) => `${name} ${type}`).join(", ");
  if (columns(before) !== columns(now)) {
    changes.push(setting(`the output's columns were ${columns(before)} and are ${columns(now)}`));
  }
  return changes;
}

function setting(text: string): ManifestChange {
  return { reason: Reason.CONFIG_INVALID, text };
}

function time(atMs: number): string {
  return new Date(atMs).toISOString();
}

function names({ inputs }: ManifestFingerprint): string {
  return inputs.map(({ name }) => name).join(", ");
}
