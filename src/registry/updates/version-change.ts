import type { VersionChoice } from "../../model/versions/version-choice.ts";
import { compareVersions, type VersionNames } from "../model-table.ts";

/** Versions of one model, by number, at the end of an update. */
export interface ServedVersions {
  /** What serves. */
  readonly serving: readonly string[];
  /** Those that are to serve and do. */
  readonly kept: ReadonlySet<string>;
  /** How many are to serve and do not. */
  readonly short: number;
  /** Those whose folders lie there. */
  readonly lying: ReadonlySet<string>;
}

/**
 * The versions that leave: those whose folders have gone, and those that are no longer asked for, but for as many of these, the highest, as
 * there are versions in whose place they serve on.
 */
export function leavingVersions({ serving, kept, short, lying }: ServedVersions): string[] {
  const others = serving.filter((version) => !kept.has(version)).sort(compareVersions);
  const lyingOthers = others.filter((version) => lying.has(version));
  const staying = new Set(short > 0 ? lyingOthers.slice(-short) : []);
  return others.filter((version) => !staying.has(version));
}

/** The names of versions, and what stays with another version than its owner says. */
export interface NamesInEffect {
  readonly names: VersionNames;
  readonly staying: readonly { readonly version: string; readonly reason: string }[];
}

/**
 * What labels and no version mean from now on. One whose version does not serve stays with the version that it meant before, if that
 * serves; `before` is undefined where the model has just come.
 */
export function namesInEffect(
  { labels, defaultVersion }: VersionChoice,
  serving: ReadonlySet<string>,
  before: VersionNames | undefined,
): NamesInEffect {
  const staying: { version: string; reason: string }[] = [];
  const inEffect = (what: string, version: string, was: string | undefined): string => {
    if (serving.has(version) || was === undefined || !serving.has(was)) return version;
    const reason = `${what} stays with version ${was}: version ${version}, which it is to mean, is not served`;
    staying.push({ version: was, reason });
    return was;
  };
  const meant = new Map(
    Array.from(labels, ([label, version]) => [
      label,
      inEffect(`the label ${JSON.stringify(label)}`, version, before?.labels.get(label)),
    ]),
  );
  const ofLabel = meant.get(defaultVersion);
  if (ofLabel !== undefined || defaultVersion === "")
    return { names: { labels: meant, defaultVersion: ofLabel ?? "" }, staying };
  const was = before?.defaultVersion;
  const highest = was === "" ? [...serving].sort(compareVersions).at(-1) : was;
  const version = inEffect("default_version", defaultVersion, highest);
  return { names: { labels: meant, defaultVersion: version }, staying };
}
