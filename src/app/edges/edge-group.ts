import { MessageChannel } from "node:worker_threads";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { Edge } from "../../edge/edge.ts";
import { type SharedPort, sharedPortMemory } from "../../edge/listen/shared-port.ts";
import type { MetricReader } from "../../edge/metrics/metrics-route.ts";
import { AssayError } from "../../errors.ts";
import { entryUrl } from "../../package-files.ts";
import { ANONYMOUS } from "../../registry/caller.ts";
import {
  isServed,
  type ModelTable,
  type ModelVersion,
  type TableListener,
  type VersionNames,
} from "../../registry/model-table.ts";
import type { ModelControl } from "../../registry/models.ts";
import type { Lifecycle } from "../../registry/models-service.ts";
import type { VersionName } from "../../registry/registry.ts";
import type { Generation, ServedModel } from "../../registry/served-model.ts";
import type { Log } from "../../telemetry/log.ts";
import { mergedFamilies } from "../../telemetry/merged-families.ts";
import type { MetricFamily } from "../../telemetry/metric-text.ts";
import type { EdgeStackOptions } from "../edge-stack.ts";
import type { Answerer } from "./conversation.ts";
import { countsOf, sumCounts } from "./edge-counts.ts";
import type { CountsOfEdge, EdgeOrder, EdgeQuestion, EdgeStart } from "./edge-messages.ts";
import { FurtherThread } from "./further-thread.ts";

/** What a group of edges is made with. */
export interface EdgeGroupOptions extends Pick<EdgeStart, "settings" | "tls" | "rateMemory" | "environment"> {
  /** The table of the first edge, whose changes the others follow. */
  readonly table: ModelTable;
  readonly control: ModelControl;
  readonly log: Log;
  /** What all edges record, and where their spans go; undefined: tracing is off. */
  readonly tracing?: EdgeStackOptions["tracing"];
  /** Another entry of the edges' threads: for tests. */
  readonly entry?: URL | undefined;
}

const ENTRY = entryUrl("app/edges/edge-main");
/** An edge that does not say in this time what it has counted is left out of the sums. */
const ANSWER_MS = 1_000;
/** What an edge may take to say that it has drained, beyond the drain time-out. */
const DRAINED_MS = 1_000;

/** The edges beside the first one, which leads: it tells them of every change of the table, of readiness and of the end. */
export class EdgeGroup implements TableListener {
  /** The first edge's part of the port. */
  readonly sharedPort: SharedPort;
  private readonly options: EdgeGroupOptions;
  private readonly threads: FurtherThread[] = [];
  private isSettled = false;
  private isDraining = false;
  private edge: Pick<Edge, "families"> | undefined = undefined;

  constructor(options: EdgeGroupOptions) {
    const listenerCount = options.settings.edges;
    this.options = options;
    this.sharedPort = { memory: sharedPortMemory(listenerCount), listenerCount, place: 0 };
    options.table.listen(this);
  }

  /** What the first edge is made with. */
  get parts(): Pick<EdgeStackOptions, "sharedPort" | "sumCounts" | "gatherMetrics"> {
    return {
      sharedPort: this.sharedPort,
      sumCounts: async (own) => sumCounts(own, await this.countsOf(own, this.threads)),
      gatherMetrics: async (own, reader) => mergedFamilies(own, await this.familiesOf(this.threads, reader)),
    };
  }

  /** What callers load and unload, with which they are answered once every edge knows of it. */
  get control(): ModelControl {
    const { control } = this.options;
    return {
      load: (modelName, caller) => control.load(modelName, caller).finally(() => this.sync()),
      unload: (modelName, caller) => control.unload(modelName, caller).finally(() => this.sync()),
    };
  }

  /** The lifecycle of the first edge's registry, settled once every edge has what it loaded. */
  lifecycle(registry: Lifecycle): Lifecycle {
    const isSettled = () => this.isSettled && registry.settled;
    return {
      get settled() {
        return isSettled();
      },
      get draining() {
        return registry.draining;
      },
      ...(registry.startsEmpty === undefined ? {} : { startsEmpty: registry.startsEmpty }),
    };
  }

  /** The first edge, once it is made. */
  follow(edge: Pick<Edge, "families">): void {
    this.edge = edge;
  }

  /** Starts the other edges on the address that the first one got; rejects with why one of them cannot listen. */
  async open(host: string, port: number): Promise<void> {
    const { settings, tls, rateMemory, environment, log, tracing, entry = ENTRY } = this.options;
    const traceRule = tracing?.rule;
    // Then everything is loaded by now, and the others listen once they are told.
    this.isSettled = settings.listenWhenReady;
    for (let place = 1; place < settings.edges; place++) {
      const sharedPort = { ...this.sharedPort, place };
      const start = { settings, tls, rateMemory, environment, host, port, sharedPort, traceRule };
      const answer: Answerer = (question) => this.answer(thread, question);
      const thread: FurtherThread = new FurtherThread({
        start,
        entry,
        log,
        spans: tracing?.sink,
        answer,
        onBegin: (begun) => this.tellAll(begun),
      });
      this.threads.push(thread);
    }
    await Promise.all(this.threads.map((thread) => thread.open()));
    log.info({ edges: settings.edges }, "all edges take connections");
  }

  /** Everything that was found is loaded: resolves when every edge has it. */
  async settle(): Promise<void> {
    await this.sync();
    this.isSettled = true;
    this.tell({ kind: "settled" });
    await this.sync();
  }

  /** Resolves when every edge knows what it was told so far. */
  async sync(): Promise<void> {
    // One that has ended is told all that is so when it begins anew.
    await Promise.allSettled(this.threads.map((thread) => thread.ask({ kind: "sync" })));
  }

  onPut(model: ModelVersion): void {
    for (const thread of this.threads) this.put(thread, model);
  }

  onRemoved({ modelName, modelVersion }: ModelVersion): void {
    this.tell({ kind: "remove", modelName, modelVersion });
  }

  onNamed(modelName: string, names: VersionNames): void {
    this.tell({ kind: "name", modelName, names });
  }

  onUpdateFailed({ modelName, modelVersion }: ServedModel, reason: string | undefined): void {
    this.tell({ kind: "update-failed", modelName, modelVersion, reason });
  }

  /** Has the others read keys and certificates again. */
  rereadFiles(): void {
    this.tell({ kind: "reread-files" });
  }

  announceDrain(): void {
    this.isDraining = true;
    this.tell({ kind: "announce-drain" });
  }

  /** Lets the calls of the others end, then the edges themselves; true where nothing was cut off. */
  async drain(timeoutMs: number): Promise<boolean> {
    const drained = await Promise.all(
      this.threads.map((thread) =>
        // The calls of one that has ended are gone already.
        within(
          timeoutMs + DRAINED_MS,
          false,
          thread.ask({ kind: "drain", timeoutMs }).catch(() => true),
        ),
      ),
    );
    await this.close();
    return drained.every((isInTime) => isInTime);
  }

  /** Ends the other edges at once. */
  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }

  private tell(order: EdgeOrder): void {
    for (const thread of this.threads) thread.tell(order);
  }

  private tellAll(thread: FurtherThread): void {
    const { table } = this.options;
    for (const model of table.entries()) {
      this.put(thread, model);
      const { modelName, modelVersion } = model;
      thread.tell({ kind: "name", modelName, names: table.namesOf(modelName) });
      if (isServed(model) && model.updateFailure !== undefined)
        thread.tell({ kind: "update-failed", modelName, modelVersion, reason: model.updateFailure });
    }
    if (this.isSettled) thread.tell({ kind: "settled" });
    if (this.isDraining) thread.tell({ kind: "announce-drain" });
  }

  private put(thread: FurtherThread, model: ModelVersion): void {
    if (!isServed(model)) {
      thread.tell({ kind: "put", model });
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.unref();
    const generation = (model as Generation).share!(port1);
    thread.tell({ kind: "serve", generation, port: port2 }, [port2]);
  }

  private async answer(asker: FurtherThread, question: EdgeQuestion): ReturnType<Answerer> {
    const others = this.threads.filter((thread) => thread !== asker);
    switch (question.kind) {
      case "counts":
        return [
          countsOf(this.options.table, question.names),
          ...(await this.countsOf(question.names, others)),
        ];
      case "metrics":
        return mergedFamilies(
          this.edge?.families(question.reader) ?? [],
          await this.familiesOf(this.threads, question.reader),
        );
      case "load":
      case "unload":
        // The edge that was asked has seen whether its caller may.
        await this.control[question.kind](question.modelName, ANONYMOUS);
        return true;
      default:
        throw new AssayError(Reason.UNIMPLEMENTED, `${question.kind} is not asked of the first edge`);
    }
  }

  private async familiesOf(
    threads: readonly FurtherThread[],
    reader: MetricReader,
  ): Promise<(readonly MetricFamily[])[]> {
    return await Promise.all(
      threads.map((thread) =>
        within(
          ANSWER_MS,
          [],
          thread.ask({ kind: "metrics", reader }).catch(() => []),
        ),
      ),
    );
  }

  private async countsOf(
    versions: readonly VersionName[],
    threads: readonly FurtherThread[],
  ): Promise<CountsOfEdge[]> {
    const names = versions.map(({ modelName, modelVersion }) => ({ modelName, modelVersion }));
    const counts = threads.map((thread) =>
      within(
        ANSWER_MS,
        [],
        thread.ask({ kind: "counts", names }).catch(() => []),
      ),
    );
    return (await Promise.all(counts)).flat();
  }
}

async function within<T>(limitMs: number, otherwise: T, work: Promise<T>): Promise<T> {
  const { promise: isOver, resolve } = Promise.withResolvers<T>();
  const timer = setTimeout(() => resolve(otherwise), limitMs);
  try {
    return await Promise.race([work, isOver]);
  } finally {
    clearTimeout(timer);
  }
}
