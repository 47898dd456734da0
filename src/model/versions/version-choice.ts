import {
  type ModelConfig,
  ModelConfigSchema,
  type VersionPolicy as PolicyMessage,
} from "../../../gen/assay/config/v1/model_config_pb.ts";
import { configLine, readConfigJson } from "../config/config-json.ts";
import { createConfigMistakes } from "../config/config-mistakes.ts";
import { TRITON_CONFIG, type TritonConfig } from "../triton/triton-config.ts";

/** Which of the versions that lie there are served. */
export type VersionPolicy =
  | { readonly kind: "all" }
  | { readonly kind: "latest"; readonly count: number }
  | { readonly kind: "specific"; readonly versions: readonly string[] };

/** What a model's owner says of its versions: which are served, and what requests may call them. */
export interface VersionChoice {
  readonly policy: VersionPolicy;
  /** The file that says the policy. */
  readonly policyFile: string;
  /** The file does not say it. */
  readonly isDefaultPolicy: boolean;
  /** Numbers of versions by their labels. */
  readonly labels: ReadonlyMap<string, string>;
  /** A number or a label; empty: the highest that serves. */
  readonly defaultVersion: string;
}

/** Every version, without labels. */
export const EVERY_VERSION: VersionChoice = {
  policy: { kind: "all" },
  policyFile: "config.json",
  isDefaultPolicy: true,
  labels: new Map(),
  defaultVersion: "",
};

/**
 * Reads what the model's own config.json says of versions, and where that says nothing its config.pbtxt. Throws CONFIG_INVALID and
 * MODEL_INVALID with the lines.
 */
export function readVersionChoice(
  configText: string | undefined,
  triton: TritonConfig | undefined,
): VersionChoice {
  const config =
    configText === undefined ? undefined : readConfigJson(ModelConfigSchema, configText, "config.json");
  const ours = config?.versionPolicy;
  const policy =
    ours !== undefined ? policyOf(ours) : triton === undefined ? undefined : tritonPolicy(triton);
  const { policyFile, isDefaultPolicy } =
    ours !== undefined || triton === undefined
      ? { policyFile: "config.json", isDefaultPolicy: ours === undefined }
      : { policyFile: TRITON_CONFIG, isDefaultPolicy: triton.message.versionPolicy === undefined };
  const labels = new Map(
    Object.entries(config?.versionLabels ?? {}).map(([label, version]) => [label, String(version)]),
  );
  const defaultVersion = config?.defaultVersion ?? "";
  if (configText !== undefined && /^[A-Za-z]/.test(defaultVersion) && !labels.has(defaultVersion)) {
    const known = labels.size === 0 ? "version_labels has none" : `there is ${[...labels.keys()].join(", ")}`;
    const mistakes = createConfigMistakes((path) => configLine(configText, path));
    mistakes.add(["default_version"], `no label is called ${JSON.stringify(defaultVersion)}; ${known}`);
    mistakes.throwIfAny();
  }
  return { policy: policy ?? { kind: "all" }, policyFile, isDefaultPolicy, labels, defaultVersion };
}

/** The fields of config.json that are a model's, and not one version's. */
export const MODEL_FIELDS = ["version_policy", "version_labels", "default_version"] as const;

/** The fields of `MODEL_FIELDS` that are set. */
export function modelFieldsIn(config: ModelConfig): (typeof MODEL_FIELDS)[number][] {
  const { versionPolicy, versionLabels, defaultVersion } = config;
  const isSet = [versionPolicy !== undefined, Object.keys(versionLabels).length > 0, defaultVersion !== ""];
  return MODEL_FIELDS.filter((_, index) => isSet[index]);
}

/** A version's configuration without what is said of all versions. */
export function withoutModelFields(config: ModelConfig): ModelConfig {
  const { versionPolicy: _, ...rest } = config;
  return { ...rest, versionLabels: {}, defaultVersion: "" };
}

/** A policy without a choice is Triton's word for all. */
function policyOf({ policyChoice }: PolicyMessage): VersionPolicy {
  switch (policyChoice.case) {
    case "latest":
      return { kind: "latest", count: policyChoice.value.numVersions ?? 1 };
    case "specific":
      return { kind: "specific", versions: policyChoice.value.versions.map(String) };
    default:
      return { kind: "all" };
  }
}

/** Triton's default is the highest number alone. */
function tritonPolicy({ message: { versionPolicy } }: TritonConfig): VersionPolicy {
  const choice = versionPolicy?.policyChoice;
  if (choice?.case === "specific")
    return { kind: "specific", versions: [...new Set(choice.value.versions.map(String))] };
  if (versionPolicy !== undefined && choice?.case !== "latest") return { kind: "all" };
  return { kind: "latest", count: Math.max(1, choice?.case === "latest" ? choice.value.numVersions : 1) };
}
