import type { Message } from "@bufbuild/protobuf";
import type { ModelProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import type { OnnxEdits } from "../onnx/onnx-edit.ts";
import { quoted, refusal } from "../refusal.ts";
import type { Repair } from "../signature.ts";

/** The newest ONNX IR version that onnxruntime-node 1.30 takes; a test asks the runtime itself. */
export const NEWEST_IR_VERSION = 13;

/** The newest version of each standard operator set that onnxruntime-node 1.30 takes; a test asks the runtime itself. */
export const NEWEST_OPSETS: Readonly<Record<string, number>> = { "ai.onnx": 26, "ai.onnx.ml": 5 };

/** Domains whose operators come with the runtime. */
const KNOWN_DOMAINS = new Set([
  "ai.onnx",
  "ai.onnx.ml",
  "ai.onnx.training",
  "ai.onnx.preview.training",
  "com.microsoft",
  "com.microsoft.experimental",
  "com.microsoft.nchwc",
  "com.ms.internal.nhwc",
  "org.pytorch.aten",
]);

/** Throws MODEL_INVALID for operator sets that the runtime does not have, naming the remedy. */
export function checkOpsets(model: ModelProto): void {
  for (const { domain, version } of model.opsetImport) {
    const name = domain === "" ? "ai.onnx" : domain;
    const newest = Object.hasOwn(NEWEST_OPSETS, name) ? NEWEST_OPSETS[name] : undefined;
    if (newest !== undefined && version > BigInt(newest)) {
      throw refusal(
        `the file uses opset ${version} of ${name}, the newest that can be run is ${newest}: export it again with the ` +
          `target opset ${newest} or lower (opset_version in torch.onnx.export, target_opset in skl2onnx and onnxmltools)`,
      );
    }
  }
  const defined = new Set(model.functions.map(({ domain }) => domain));
  for (const node of model.graph?.node ?? []) {
    const domain = node.domain === "" ? "ai.onnx" : node.domain;
    if (KNOWN_DOMAINS.has(domain) || defined.has(node.domain)) continue;
    throw refusal(
      `node ${quoted(node.name)} uses the operator ${quoted(node.opType)} of the domain ${quoted(node.domain)}, which ONNX Runtime does not have: ` +
        "export the model without custom operators (preprocessing of onnxruntime-extensions has to happen before the call)",
    );
  }
}

/**
 * Lowers an IR version that the runtime does not take where nothing newer than the newest known one is used: every field
 * of the file is known and its operator sets are. Throws MODEL_INVALID otherwise.
 */
export function lowerIrVersion(model: ModelProto, edits: OnnxEdits): Repair | undefined {
  if (model.irVersion <= BigInt(NEWEST_IR_VERSION)) return undefined;
  if (hasUnknownFields(model)) {
    throw refusal(
      `the file has IR version ${model.irVersion} and uses what came with it, the newest that can be run is ${NEWEST_IR_VERSION}: ` +
        `export it with an older onnx package, or set model.ir_version = ${NEWEST_IR_VERSION} before onnx.save`,
    );
  }
  edits.irVersion = NEWEST_IR_VERSION;
  return {
    kind: "ir_version_lowered",
    target: "",
    description: `IR version ${model.irVersion} is newer than ${NEWEST_IR_VERSION}, nothing in the file needs it; served as ${NEWEST_IR_VERSION}`,
  };
}

function hasUnknownFields(model: ModelProto): boolean {
  const { graph } = model;
  const parts: Message[] = [model, ...model.functions];
  if (graph !== undefined) parts.push(graph, ...graph.node, ...graph.initializer, ...graph.input);
  for (const node of graph?.node ?? []) parts.push(...node.attribute);
  return parts.some((part) => (part.$unknown?.length ?? 0) > 0);
}
