/**
 * The load tester behind `assay bench`. Comes in: settings. Goes out: calls to one server, and a report of what became of them.
 * Promises: nothing leaves this machine unless that is allowed; connections, calls in flight, time and memory are bounded; a run that is
 * interrupted tells what it measured.
 */
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import type { Model } from "../../gen/assay/v1/model_service_pb.ts";
import type { BenchSettings } from "../config/bench-settings.ts";
import { AssayError } from "../errors.ts";
import { type Connection, openConnection } from "../scorer/remote/connection.ts";
import { foreignServer } from "../scorer/remote/foreign-server.ts";
import { parseServerUrl, type ServerUrl } from "../scorer/remote/server-url.ts";
import { askModel } from "../scorer/remote/stream-connection.ts";
import {
  type BenchRequest,
  type ModelName,
  parseModelName,
  readRequest,
  repeatRows,
} from "./bench-request.ts";
import type { ConnectionTarget } from "./connection/call-connection.ts";
import { Lanes } from "./connection/lanes.ts";
import { planConnections } from "./load-plan.ts";
import { MACHINE_CLOCK } from "./loop/clock.ts";
import { ClosedLoop } from "./loop/closed-loop.ts";
import { FineClock } from "./loop/fine-clock.ts";
import { driveLoop } from "./loop/load-loop.ts";
import { MeasuredCalls } from "./loop/measured-calls.ts";
import { OpenLoop } from "./loop/open-loop.ts";
import { targetAddresses } from "./loopback.ts";
import { type BenchReport, benchReport, type ReportedRun } from "./report/bench-report.ts";
import { type LineTerminal, LiveLine } from "./report/live-line.ts";

/** What a run is given besides its settings. */
export interface LoadRunOptions {
  readonly settings: BenchSettings;
  /** Of the file that the settings name; undefined: they name none. */
  readonly requestText: string | undefined;
  readonly terminal: LineTerminal;
  /** Ends the run early. */
  readonly signal: AbortSignal;
}

const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_MS = 20_000;
const SHOWN_MS = 250;
const LOADING_MS = 60_000;
const ASKED_AGAIN_MS = 200;

/**
 * Runs the load and reports. Rejects with CONFIG_INVALID for settings that cannot be, and with another AssayError where no call could
 * be made: SERVER_UNREACHABLE, MODEL_NOT_FOUND and the like.
 */
export async function runLoad(options: LoadRunOptions): Promise<BenchReport> {
  const { settings, signal } = options;
  const url = parseServerUrl(settings.server);
  const addresses = await targetAddresses(url, settings.allowRemote);
  const request = await benchRequest(options, url);
  const target = { url, addresses, httpVersion: settings.httpVersion, key: settings.key };
  const { open, requestBytes } = planConnections(settings, target, request);
  const lanes = new Lanes(open, settings.connections, settings.concurrency, MACHINE_CLOCK);
  const fineClock = settings.rate > 0 ? new FineClock() : undefined;
  try {
    await openAll(lanes, url, signal);
    const calls = plannedCalls(settings, lanes);
    const loop =
      fineClock === undefined
        ? new ClosedLoop(calls, MACHINE_CLOCK)
        : new OpenLoop(calls, fineClock, settings.rate);
    const hide = showProgress(options, calls);
    const result = await driveLoop(loop, calls, MACHINE_CLOCK, signal);
    hide();
    const { tally, late } = calls;
    const { held, notBegun } = loop;
    return benchReport(reportedRun(settings, url, request, requestBytes), {
      ...result,
      tally,
      late,
      held,
      notBegun,
    });
  } finally {
    lanes.close();
    fineClock?.stop();
  }
}

/** Opens the connections; where that fails, what listens there is asked for a better reason. */
async function openAll(lanes: Lanes, url: ServerUrl, signal: AbortSignal): Promise<void> {
  try {
    await lanes.open();
  } catch (error) {
    const { cause } = error as Error;
    const foreign = cause instanceof Error ? await foreignServer(url, cause, signal) : undefined;
    throw foreign ?? error;
  }
}

function plannedCalls(settings: BenchSettings, lanes: Lanes): MeasuredCalls {
  const fromMs = MACHINE_CLOCK.now() + settings.warmupSeconds * 1000;
  const window = { fromMs, toMs: fromMs + settings.durationSeconds * 1000 };
  const calls = new MeasuredCalls(lanes, MACHINE_CLOCK, window, settings.timeoutMs);
  const onAnswer: Lanes["onAnswer"] = (slot, failure) => calls.end(slot, failure);
  lanes.onAnswer = onAnswer;
  return calls;
}

/** Shows the live line until the function that is returned is called. */
function showProgress({ terminal }: LoadRunOptions, { tally, window }: MeasuredCalls): () => void {
  const line = new LiveLine(terminal);
  const { fromMs, toMs } = window;
  const show = () => line.show(tally, MACHINE_CLOCK.now() - fromMs, toMs - fromMs);
  const timer = setInterval(show, SHOWN_MS);
  return () => {
    clearInterval(timer);
    line.clear();
  };
}

async function benchRequest(
  { settings, requestText, signal }: LoadRunOptions,
  url: ServerUrl,
): Promise<BenchRequest> {
  const named = parseModelName(settings.model);
  const { key } = settings;
  const asRaw = settings.protocol !== "connect-json" && settings.protocol !== "predict";
  const isInference = settings.protocol === "inference" || settings.protocol === "inference-rest";
  if (requestText !== undefined) {
    const message = readRequest(requestText, settings.request, named);
    // Only a row of features needs the model's own word for its input; Open Inference has tensors only, of a model by its name.
    const isNamed = isInference
      ? message.inputs.length > 0 && message.modelName !== ""
      : message.features.length === 0 || settings.rows === 1;
    const model = isNamed ? undefined : await servedModel({ url, key }, message, signal);
    if (isInference && model !== undefined) message.modelName = model.modelName;
    return { ...repeatRows(message, settings.rows, model, asRaw), model };
  }
  const model = await servedModel({ url, key }, named, signal);
  const message = model.exampleRequest ?? readRequest("{}", "(the server gave no example)", named);
  if (named.modelVersion !== "") message.modelVersion = named.modelVersion;
  return { ...repeatRows(message, settings.rows, model, asRaw), model };
}

async function servedModel(
  server: Pick<ConnectionTarget, "url" | "key">,
  { modelName, modelVersion }: ModelName,
  signal: AbortSignal,
): Promise<Model> {
  const how = { ...server, connectTimeoutMs: CONNECT_TIMEOUT_MS, keepaliveMs: KEEPALIVE_MS };
  const connection = await openConnection(how, signal);
  try {
    return await loadedModel(connection.session, { ...server, modelName, modelVersion }, signal);
  } catch (error) {
    const isLost = error instanceof AssayError && error.reason === Reason.SERVER_UNREACHABLE;
    throw isLost ? (connection.failure ?? error) : error;
  } finally {
    connection.destroy();
  }
}

/** A model that loads is waited for. */
async function loadedModel(
  session: Connection["session"],
  target: Parameters<typeof askModel>[1],
  signal: AbortSignal,
): Promise<Model> {
  const givesUpAt = MACHINE_CLOCK.now() + LOADING_MS;
  for (;;) {
    try {
      return await askModel(session, target);
    } catch (error) {
      const isLoading = error instanceof AssayError && error.reason === Reason.MODEL_NOT_READY;
      if (!isLoading || signal.aborted || MACHINE_CLOCK.now() > givesUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs ?? ASKED_AGAIN_MS));
    }
  }
}

function reportedRun(
  settings: BenchSettings,
  url: ServerUrl,
  { message, rows }: BenchRequest,
  requestBytes: number,
): ReportedRun {
  const { modelName, modelVersion } = message;
  return {
    server: url.origin,
    model: modelVersion === "" ? modelName : `${modelName}:${modelVersion}`,
    protocol: settings.protocol,
    http_version: settings.httpVersion,
    concurrency: settings.concurrency,
    connections: settings.connections,
    ...(settings.rate > 0 ? { rate_per_second: settings.rate } : {}),
    rows_per_call: rows,
    request_bytes: requestBytes,
  };
}
