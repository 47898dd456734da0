import type { VersionChoice } from "./version-choice.ts";

/** A version that is asked for and not there, and why that keeps it from being served. */
export interface MissingVersion {
  readonly version: string;
  readonly reason: string;
}

/** The version folders that a model serves of those that are there. */
export interface ChosenVersions {
  /** In the order of their numbers. */
  readonly served: readonly string[];
  /** Served where one of `served` cannot be, the highest number first. */
  readonly reserve: readonly string[];
  /** Asked for by number and not there. */
  readonly missing: readonly MissingVersion[];
  /** There and not asked for. */
  readonly left: readonly string[];
  /** The policy in words: `latest 1`. */
  readonly policy: string;
}

/** What an operator should know of versions that lie there and are not served; undefined where there are none. */
export function leftNotice({ left, policy }: ChosenVersions, choice: VersionChoice): string | undefined {
  if (left.length === 0) return undefined;
  const what = left.length === 1 ? "is not served" : "are not served";
  const byDefault = choice.isDefaultPolicy ? ", as it is by default" : "";
  return `version ${left.join(", ")} ${what}: version_policy in ${choice.policyFile} is ${policy}${byDefault}`;
}

/** Chooses by version_policy, by labels and by the default version. Throws nothing; `found` are numbers. */
export function chooseVersions(choice: VersionChoice, found: readonly string[]): ChosenVersions {
  const ordered = [...new Set(found)].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  const { asked, policy } = byPolicy(choice, ordered);
  const reasons = new Map(
    (choice.policy.kind === "specific" ? choice.policy.versions : []).map((version) => [
      version,
      `version_policy in ${choice.policyFile} asks for it`,
    ]),
  );
  for (const { version, what } of named(choice)) reasons.set(version, `${what} in config.json names it`);
  const served = ordered.filter((version) => asked.has(version) || reasons.has(version));
  const left = ordered.filter((version) => !served.includes(version));
  return {
    served,
    left,
    policy,
    reserve: choice.policy.kind === "latest" ? left.toReversed() : [],
    missing: Array.from(reasons, ([version, why]) => ({
      version,
      reason: `${why}, and there is no such folder: put it there, or take the number out`,
    })).filter(({ version }) => !ordered.includes(version)),
  };
}

function byPolicy(
  { policy }: VersionChoice,
  ordered: readonly string[],
): { readonly asked: ReadonlySet<string>; readonly policy: string } {
  switch (policy.kind) {
    case "all":
      return { asked: new Set(ordered), policy: "all" };
    case "latest":
      return { asked: new Set(ordered.slice(-policy.count)), policy: `latest ${policy.count}` };
    case "specific":
      return { asked: new Set(policy.versions), policy: `specific ${policy.versions.join(", ")}` };
  }
}

/** The versions that labels and the default version mean, with what means them. */
function named({ labels, defaultVersion }: VersionChoice): { version: string; what: string }[] {
  const byLabel = Array.from(labels, ([label, version]) => ({
    version,
    what: `the label ${JSON.stringify(label)}`,
  }));
  if (defaultVersion === "" || labels.has(defaultVersion)) return byLabel;
  return [...byLabel, { version: defaultVersion, what: "default_version" }];
}
