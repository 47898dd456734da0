/**
 * What the server says once it serves. At a terminal, a banner with lines to paste. Elsewhere, for whoever starts one with `--port 0`, one
 * JSON line on standard output and a line of the log for each model: both streams hold JSON lines alone, of one form.
 */
import { join } from "node:path";
import { toJson } from "@bufbuild/protobuf";
import { type Model, ModelState } from "../../gen/assay/v1/model_service_pb.ts";
import { type PredictRequest, PredictRequestSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { jsonLine, type Log } from "../telemetry/log.ts";
import { counted } from "../wording/counted.ts";

/** Where `assay try` looks for a server unless it is told. */
export const DEFAULT_URL = "http://127.0.0.1:8080";

/** Where the server is reached. */
export interface ServingAddress {
  readonly host: string;
  readonly port: number;
  readonly encrypted: boolean;
}

/** The lines that the server prints at a terminal once it serves the models of `folder`: each model, its devices, and one curl and one grpcurl line that work when pasted. */
export function banner(
  version: string,
  address: ServingAddress,
  models: readonly Model[],
  folder: string,
): string {
  const served = models.filter((model) => model.state === ModelState.READY);
  const failed = models.filter((model) => model.state === ModelState.FAILED);
  const where = reachable(address);
  const url = servingUrl(address);
  const lines = [`Assay ${version} serves ${counted(served.length, "model")} on ${url}`, ""];
  for (const model of served) lines.push(...modelLines(model, where, address.encrypted));
  for (const model of failed) {
    lines.push(`${title(model)} is NOT served: ${model.stateReason}`, "");
  }
  if (models.length > 0 && models.every(({ state }) => state === ModelState.UNLOADED)) {
    const load = `${url}/v2/repository/models/${models[0]!.modelName}/load`;
    lines.push(`No model is loaded yet (--model-control explicit). To load one: curl -X POST ${load}`, "");
  } else if (served.length === 0) {
    lines.push(
      `Nothing is served. Put a model at ${join(folder, "<name>/<version>/model.onnx")} and start again.`,
      "",
    );
  }
  const [first] = served;
  // Without its flag, the command asks the default address.
  const server = url === DEFAULT_URL ? "" : ` --server ${url}`;
  if (first !== undefined) lines.push(`try one: npx assay try ${first.modelName}${server}`);
  lines.push(`health: ${url}/livez, /readyz · list: grpcurl ${plain(address)}${where} list`);
  return `${lines.join("\n")}\n`;
}

/** Where a caller on this machine finds the server: `http://127.0.0.1:8080`. */
function servingUrl(address: ServingAddress): string {
  return `${address.encrypted ? "https" : "http"}://${reachable(address)}`;
}

function modelLines(model: Model, where: string, encrypted: boolean): string[] {
  const lines = [`${title(model)} on ${model.devices.join(", ")}`];
  const { exampleRequest } = model;
  if (exampleRequest !== undefined) lines.push(...callLines(exampleRequest, { where, encrypted }));
  for (const notice of model.notices) lines.push(`  note: ${notice}`);
  lines.push("");
  return lines;
}

/** A request as one curl and one grpcurl line that work when pasted; `where` is host:port. */
export function callLines(
  request: PredictRequest,
  { where, encrypted }: { readonly where: string; readonly encrypted: boolean },
): string[] {
  const json = toJson(PredictRequestSchema, request, { useProtoFieldName: true });
  const body = quoted(JSON.stringify(json));
  const curl = encrypted ? "curl -sk" : "curl -s";
  const url = `${encrypted ? "https" : "http"}://${where}/assay.v1.ScoringService/Predict`;
  const flags = encrypted ? "-insecure " : "-plaintext ";
  return [
    `  ${curl} -H 'content-type: application/json' -d ${body} ${url}`,
    `  grpcurl ${flags}-d ${body} ${where} assay.v1.ScoringService/Predict`,
  ];
}

function title(model: Model): string {
  return model.modelVersion === "" ? model.modelName : `${model.modelName} version ${model.modelVersion}`;
}

function plain(address: ServingAddress): string {
  return address.encrypted ? "-insecure " : "-plaintext ";
}

function reachable(address: ServingAddress): string {
  const any = address.host === "0.0.0.0" || address.host === "::";
  const host = any ? "localhost" : address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/** Quotes a text for a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * The line of standard output, its end included: `address`, the server's version, and how many models it serves and does not.
 */
export function servingLine(version: string, address: ServingAddress, models: readonly Model[]): string {
  const url = servingUrl(address);
  const served = models.filter(isServed).length;
  const failed = models.filter(({ state }) => state === ModelState.FAILED).length;
  const fields = { address: url, version, served, failed };
  // The address has a space behind it, for those who look for it in the text.
  return jsonLine("info", fields, `serves ${counted(served, "model")} on ${url} with Assay ${version}`);
}

/** A line of the log for each model that is served; the others have theirs from whoever refused them. */
export function logServedModels(log: Log, models: readonly Model[]): void {
  for (const { modelName, modelVersion, devices } of models.filter(isServed)) {
    const where = devices.join(", ");
    log.info(
      { model: modelName, version: modelVersion, devices },
      `${modelName} version ${modelVersion} is served on ${where}`,
    );
  }
}

function isServed({ state }: Model): boolean {
  return state === ModelState.READY;
}
