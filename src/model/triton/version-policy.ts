import { TRITON_CONFIG, type TritonConfig } from "./triton-config.ts";

/** The version folders that a model serves of those that are there. */
export interface ChosenVersions {
  /** In the order of their numbers. */
  readonly served: readonly string[];
  /** Asked for by number and not there. */
  readonly missing: readonly string[];
  /** There and not asked for. */
  readonly left: readonly string[];
  /** The policy in words: `latest 1`. */
  readonly policy: string;
}

/** What an operator should know of versions that lie there and are not served; undefined where there are none. */
export function leftNotice({ left, policy }: ChosenVersions, { message }: TritonConfig): string | undefined {
  if (left.length === 0) return undefined;
  const what = left.length === 1 ? "is not served" : "are not served";
  const byDefault = message.versionPolicy === undefined ? ", as it is by default" : "";
  return `version ${left.join(", ")} ${what}: version_policy in ${TRITON_CONFIG} is ${policy}${byDefault}`;
}

/** Why a version that is asked for and not there is not served. */
export const MISSING_VERSION = `version_policy in ${TRITON_CONFIG} asks for it, and there is no such folder: put it there, or take the number out`;

/** Chooses by version_policy; Triton's default is the highest number alone. */
export function chooseVersions({ message }: TritonConfig, found: readonly string[]): ChosenVersions {
  const ordered = [...found].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  const chosen = (served: readonly string[], policy: string, missing: readonly string[] = []) => ({
    served,
    missing,
    left: ordered.filter((version) => !served.includes(version)),
    policy,
  });
  const policy = message.versionPolicy?.policyChoice;
  if (policy?.case === "specific") {
    const asked = [...new Set(policy.value.versions.map(String))];
    const served = ordered.filter((version) => asked.includes(version));
    return chosen(
      served,
      `specific ${asked.join(", ")}`,
      asked.filter((version) => !served.includes(version)),
    );
  }
  // A policy without a choice is Triton's word for all.
  const isLatest = message.versionPolicy === undefined || policy?.case === "latest";
  if (!isLatest) return chosen(ordered, "all");
  const count = Math.max(1, policy?.case === "latest" ? policy.value.numVersions : 1);
  return chosen(ordered.slice(-count), `latest ${count}`);
}
