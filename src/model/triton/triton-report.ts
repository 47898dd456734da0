import { ModelInstanceGroup_Kind } from "../../../gen/inference/model_config_pb.ts";
import type { TritonFiles } from "./side-files.ts";
import { modelFileName } from "./triton-config.ts";

/** What was read of a config.pbtxt, a line each, for `assay inspect`. */
export function tritonReport({ config, labels }: TritonFiles): string[] {
  const { message } = config;
  const lines: string[] = [];
  const { maxBatchSize, input, output, schedulingChoice, instanceGroup, modelWarmup } = message;
  lines.push(`max_batch_size ${maxBatchSize}${maxBatchSize === 0 ? ": each request is one run" : ""}`);
  const listed = [
    ["inputs", input],
    ["outputs", output],
  ] as const;
  for (const [role, tensors] of listed) {
    const reshaped = tensors.filter(({ reshape }) => reshape !== undefined).map(({ name }) => name);
    const how = reshaped.length === 0 ? "" : `; reshaped: ${reshaped.join(", ")}`;
    lines.push(tensors.length === 0 ? `${role} as in the file` : `${role} listed: ${tensors.length}${how}`);
  }
  const fileName = modelFileName(config);
  if (fileName !== "model.onnx") lines.push(`default_model_filename ${fileName}`);
  lines.push(`version_policy ${policyText(message.versionPolicy?.policyChoice)}`);
  if (schedulingChoice.case === "dynamicBatching") {
    const { maxQueueDelayMicroseconds: delay, defaultQueuePolicy: policy } = schedulingChoice.value;
    const queue = policy?.maxQueueSize ? `, max_queue_size ${policy.maxQueueSize}` : "";
    lines.push(`dynamic_batching max_queue_delay_microseconds ${delay}${queue}`);
  }
  for (const { kind, count, gpus } of instanceGroup) {
    const name = Object.entries(ModelInstanceGroup_Kind).find(([, value]) => value === kind)?.[0];
    lines.push(
      `instance_group ${Math.max(1, count)} × KIND_${name}${gpus.length > 0 ? ` on GPU ${gpus.join(", ")}` : ""}`,
    );
  }
  for (const [name, names] of labels) lines.push(`label_filename of ${name}: ${names.length} labels`);
  for (const { name, batchSize, count } of modelWarmup)
    lines.push(
      batchSize === 0
        ? `model_warmup ${name}: without a batch_size, not run`
        : `model_warmup ${name}: ${Math.max(1, count)} × ${batchSize} rows on each instance`,
    );
  for (const field of config.unused) lines.push(`without effect: ${field}`);
  return lines;
}

type Policy = NonNullable<TritonFiles["config"]["message"]["versionPolicy"]>["policyChoice"];

function policyText(policy: Policy | undefined): string {
  if (policy === undefined) return "latest 1, the default";
  if (policy.case === "latest") return `latest ${Math.max(1, policy.value.numVersions)}`;
  return policy.case === "specific" ? `specific ${policy.value.versions.join(", ")}` : "all";
}
