import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { readTlsFiles, type TlsFiles } from "../../config/tls-files.ts";
import { AssayError } from "../../errors.ts";
import { openGeneration } from "../../registry/edges/open-generation.ts";
import { createFileWatch } from "../../registry/file-watch.ts";
import { isServed } from "../../registry/model-table.ts";
import type { VersionCounts } from "../../registry/models.ts";
import { Registry, type VersionName } from "../../registry/registry.ts";
import type { Log } from "../../telemetry/log.ts";
import { createEdgeStack, type EdgeStack } from "../edge-stack.ts";
import type { Answerer } from "./conversation.ts";
import { countsOf, sumCounts } from "./edge-counts.ts";
import type { EdgeAnswers, EdgeOrder, EdgeQuestion, EdgeStart } from "./edge-messages.ts";
import type { GatheredSpans } from "./gathered-spans.ts";

/** Options of a further edge. */
export interface FurtherEdgeOptions {
  readonly start: EdgeStart;
  readonly log: Log;
  /** Takes the spans of its calls. */
  readonly spans: GatheredSpans;
  /** Asks the first edge. */
  ask<Q extends EdgeQuestion>(question: Q): Promise<EdgeAnswers[Q["kind"]]>;
}

/** An edge beside the first one: does what it is told, and serves calls with the first one's sessions. */
export class FurtherEdge {
  private readonly start: EdgeStart;
  private readonly log: Log;
  private readonly registry: Registry;
  private readonly stack: EdgeStack;
  private readonly fileWatch = createFileWatch();
  private readonly spans: GatheredSpans;
  private readonly settled = Promise.withResolvers<void>();

  constructor({ start, log, spans, ask }: FurtherEdgeOptions) {
    const { settings, sharedPort, traceRule } = start;
    this.spans = spans;
    const { defaultModel, modelControl } = settings;
    this.start = start;
    this.log = log;
    this.registry = new Registry({
      log,
      startsEmpty: modelControl === "explicit",
      ...(defaultModel === "" ? {} : { defaultModel }),
    });
    this.stack = createEdgeStack({
      settings,
      tls: currentTls(start),
      table: this.registry.table,
      lifecycle: this.registry,
      sumCounts: async (own) => sumCounts(own, await ask({ kind: "counts", names: own.map(namesOf) })),
      gatherMetrics: (_own, reader) => ask({ kind: "metrics", reader }),
      control: {
        load: async (modelName) => void (await ask({ kind: "load", modelName })),
        unload: async (modelName) => void (await ask({ kind: "unload", modelName })),
      },
      tracing: traceRule === undefined ? undefined : { rule: traceRule, sink: spans },
      sharedPort,
      rateMemory: start.rateMemory,
      log,
    });
  }

  /** Rejects where the address cannot be had. */
  async listen(): Promise<void> {
    if (this.start.settings.listenWhenReady) await this.settled.promise;
    await this.stack.edge.listen(this.start.host, this.start.port);
  }

  /** Does what the first edge says. */
  obey(order: EdgeOrder): void {
    const { registry } = this;
    switch (order.kind) {
      case "put":
        registry.table.put(order.model);
        break;
      case "serve": {
        const { environment, sharedPort } = this.start;
        const { place } = sharedPort;
        const { log, fileWatch } = this;
        const { generation, port } = order;
        const counters = registry.generationOf(generation.model)?.counters;
        void registry.add(openGeneration(generation, port, { place, log, fileWatch, counters, environment }));
        break;
      }
      case "remove":
        this.remove(order);
        break;
      case "name":
        registry.table.name(order.modelName, order.names);
        break;
      case "update-failed": {
        const generation = registry.generationOf(order);
        if (generation !== undefined) registry.table.failUpdate(generation, order.reason);
        break;
      }
      case "settled":
        registry.settled = true;
        this.settled.resolve();
        break;
      case "reread-files":
        this.stack.files.rereadAll();
        break;
      case "announce-drain":
        registry.announceDrain();
        this.stack.edge.announceDrain();
        break;
      case "close":
        void this.close();
    }
  }

  /** Answers the first edge. */
  readonly answer: Answerer = async (question) => {
    switch (question.kind) {
      case "sync":
        return true;
      case "counts":
        return [countsOf(this.registry.table, question.names)];
      case "metrics":
        return this.stack.edge.families(question.reader);
      case "drain":
        return await this.drain(question.timeoutMs);
      default:
        throw new AssayError(Reason.UNIMPLEMENTED, `${question.kind} is the first edge's to do`);
    }
  };

  private remove({ modelName, modelVersion }: VersionName): void {
    const { table } = this.registry;
    const model = table
      .entries()
      .find((one) => one.modelName === modelName && one.modelVersion === modelVersion);
    if (model === undefined) return;
    const generation = this.registry.generationOf(model);
    if (isServed(model) && generation !== undefined) void this.registry.remove(generation);
    else table.remove(model);
  }

  private async drain(timeoutMs: number): Promise<boolean> {
    const { scoring, edge } = this.stack;
    scoring.drain();
    const isInTime = await edge.drain(timeoutMs);
    if (isInTime) await this.registry.drain();
    await this.close();
    // They come before the answer does.
    this.spans.flush();
    return isInTime;
  }

  private async close(): Promise<void> {
    this.registry.announceDrain();
    this.fileWatch.close();
    this.stack.files.close();
    await this.stack.edge.close();
    await this.registry.close();
  }
}

/** An edge that is started again serves with what lies there by now, where that is whole. */
function currentTls({ settings, tls }: EdgeStart): TlsFiles | undefined {
  try {
    return readTlsFiles(settings);
  } catch {
    return tls;
  }
}

function namesOf({ modelName, modelVersion }: VersionCounts): VersionName {
  return { modelName, modelVersion };
}
