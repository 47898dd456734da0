/** Wires `assay consume`: what is opened here is closed here, whatever happens. */
import { randomUUID } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { ConnectionPool } from "@platformatic/kafka";
import type { ConsumeSettings } from "../config/consume-settings.ts";
import { openEmbeddedScorer } from "../scorer/embedded-scorer.ts";
import { openServerScorer } from "../scorer/remote/server-scorer.ts";
import type { Scorer } from "../scorer/scorer.ts";
import { wantedModel } from "../scorer/wanted-model.ts";
import type { Log } from "../telemetry/log.ts";
import {
  brokerMessage,
  checkTopics,
  connectionOptions,
  createMember,
  createProducer,
  createReader,
} from "./brokers/broker-clients.ts";
import { GroupMember } from "./brokers/group-member.ts";
import { GroupOffsets } from "./brokers/group-offsets.ts";
import { RecordFetcher } from "./brokers/record-fetcher.ts";
import { openScoreSink } from "./brokers/score-sink.ts";
import { ConsumeLoop } from "./consume-loop.ts";
import { ConsumeFigures } from "./figures/consume-figures.ts";
import { LiveTable } from "./figures/live-table.ts";
import { openProbeServer, type ProbeServer } from "./figures/probe-server.ts";
import { LastingScorer } from "./records/lasting-scorer.ts";
import { RecordScoring } from "./records/record-scoring.ts";
import type { ValueFormat } from "./records/record-value.ts";

/** What a run is given. */
export interface ConsumeRunOptions {
  readonly settings: ConsumeSettings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly stderr: { readonly isTTY?: boolean | undefined; write(text: string): unknown };
  /** Aborted: what is scored is written, and the group is left. */
  readonly signal: AbortSignal;
}

const TABLE_INTERVAL_MS = 500;
const LINE_INTERVAL_MS = 30_000;
const ENDS_INTERVAL_MS = 5_000;
/** A server that is away is waited for, however long; a timer takes no more. */
const NO_RETRY_TIMEOUT_MS = 2_147_483_647;
const TROUBLE_INTERVAL_MS = 1_000;
const LEAVE_TIMEOUT_MS = 5_000;
/** Rows live until they are written, long enough to be old to V8, which else lets the dead ones among them grow to four times the living. */
const HEAP_GROWTH_FLAG = "--heap-growing-percent=120";

/** Scores a topic until the signal. Returns 0; rejects with an AssayError where it cannot begin. */
export async function runConsume(options: ConsumeRunOptions): Promise<number> {
  const { settings, signal, stderr } = options;
  setFlagsFromString(HEAP_GROWTH_FLAG);
  const table = stderr.isTTY === true ? new LiveTable(stderr) : undefined;
  const log = table === undefined ? options.log : logBesides(table, options.log);
  const { inputTopic, outputTopic, deadLetterTopic, group } = settings;
  const figures = new ConsumeFigures();
  const closers: (() => unknown)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.reverse()) await settledWithin(close(), LEAVE_TIMEOUT_MS);
  };
  try {
    const member = createMember(settings);
    closers.push(() => member.close(true));
    const partitions = await checkTopics(member, [inputTopic, outputTopic, deadLetterTopic], settings);
    const open = (): Promise<Scorer> => openScorer({ ...options, log });
    const scorer = new LastingScorer(await open(), open);
    closers.push(() => scorer.close());
    const trouble = oftenSaid((message) => log.warn({}, message));
    const offsets = new GroupOffsets(
      member,
      new ConnectionPool("assay", connectionOptions(settings)),
      inputTopic,
    );
    closers.push(() => offsets.close());
    const transactionalId =
      settings.delivery === "at-least-once"
        ? undefined
        : settings.transactionalId || `assay-${group}-${randomUUID()}`;
    const sink = openScoreSink({
      offsets,
      groupId: group,
      transactionalId,
      createProducer: () => createProducer(settings, transactionalId),
      topics: [outputTopic, deadLetterTopic],
    });
    closers.push(() => sink.close());
    const scoring = new RecordScoring({
      scorer,
      format: settings.inputFormat as ValueFormat,
      askedVersion: wantedModel(settings.model).version,
      onRetry(error) {
        figures.serverRetries++;
        trouble(`rows wait for the server: ${error.message}`);
      },
    });
    const groupMember: GroupMember = new GroupMember(member, inputTopic, {
      onOwned: (owned) => loop.own(owned),
      onLost: (lost) => loop.lose(lost),
      onRebalance() {
        figures.rebalances++;
        log.info({ group, partitions: loop.partitions.sort((a, b) => a - b) }, "owns partitions");
      },
      onTrouble: (error) => trouble(`the group cannot be reached: ${brokerMessage(error)}`),
    });
    const loop: ConsumeLoop = new ConsumeLoop({
      topic: inputTopic,
      scoring,
      slicesInFlight: scorer.requestsInFlight,
      form: {
        outputTopic,
        deadLetterTopic,
        format: settings.outputFormat as "json",
        schemaId: settings.outputSchemaId,
      },
      sink,
      offsets,
      membership: () => groupMember.membership,
      start: settings.start as "earliest",
      lingerMs: settings.maxLingerMs,
      limits: { mostRows: settings.maxRows, mostBytes: settings.maxBytes },
      figures,
      onTrouble: trouble,
    });
    const fetcher = new RecordFetcher(createReader(settings), inputTopic, {
      onFetched(run, { records, nextPosition }, end) {
        run.take(records, nextPosition, performance.now());
        figures.ends(run.partition, end);
      },
      onIdle: () => loop.pump(),
      onTrouble: (message) => trouble(`rows cannot be fetched: ${message}`),
      onOutOfRange: (run) => void loop.restart(run),
    });
    closers.push(() => fetcher.close());
    const probes = await openProbes(settings, figures, () => {
      if (groupMember.membership === undefined) return "not in the group";
      if (!scorer.isReady) return "the model cannot score";
      return loop.writeTrouble && `scores cannot be written: ${loop.writeTrouble}`;
    });
    if (probes !== undefined) {
      closers.push(() => probes.close());
      log.info({ port: probes.port }, "metrics and probes");
    }
    const { modelName, modelVersion } = scorer.model;
    const model = `${modelName} version ${modelVersion}`;
    await Promise.race([groupMember.join(), aborted(signal)]);
    log.info(
      { group, model, input: inputTopic, output: outputTopic, partitions: partitions.get(inputTopic) },
      "consuming",
    );
    loop.begin(fetcher);
    groupMember.watchPartitions(partitions.get(inputTopic)!, settings.metadataMaxAgeMs);
    const shown = showFigures(table, log, figures, fetcher);
    await aborted(signal);
    shown();
    await settledWithin(loop.stop(), LEAVE_TIMEOUT_MS * 2);
    await settledWithin(groupMember.leave(), LEAVE_TIMEOUT_MS);
    log.info({ rows: figures.rows }, "left the group");
    return 0;
  } finally {
    await closeAll();
  }
}

function openScorer({ settings, environment, log }: ConsumeRunOptions): Promise<Scorer> {
  if (settings.server === "") return openEmbeddedScorer({ settings, environment, log });
  const { name: modelName, version: modelVersion } = wantedModel(settings.model);
  return openServerScorer({
    url: settings.server,
    modelName,
    key: settings.key,
    retryTimeoutMs: NO_RETRY_TIMEOUT_MS,
    onRetry: oftenSaid((message) => log.warn({}, message)).ofError,
    ...(modelVersion === undefined ? {} : { modelVersion }),
  });
}

async function openProbes(
  { metricsHost, metricsPort }: ConsumeSettings,
  figures: ConsumeFigures,
  unready: () => string | undefined,
): Promise<ProbeServer | undefined> {
  if (metricsPort === undefined) return undefined;
  return openProbeServer(metricsHost, metricsPort, { families: () => figures.families(), unready });
}

/** Shows how it goes: a table on a terminal, a line now and then elsewhere. Returns what ends that. */
function showFigures(
  table: LiveTable | undefined,
  log: Log,
  figures: ConsumeFigures,
  fetcher: RecordFetcher,
): () => void {
  const show = (): void => {
    table?.show(figures);
    if (table !== undefined) return;
    const lag = [...figures.partitions.keys()].reduce((sum, one) => sum + (figures.lag(one) ?? 0), 0);
    log.info({ rows: figures.rows, lag, partitions: figures.partitions.size }, "scored");
  };
  const timer = setInterval(show, table === undefined ? LINE_INTERVAL_MS : TABLE_INTERVAL_MS);
  // A partition that has no room is not fetched, and its end not told.
  const ends = setInterval(() => {
    const owned = [...figures.partitions.keys()];
    if (owned.length === 0) return;
    fetcher.endOffsets(owned).then(
      (found) => {
        for (const [partition, end] of found) figures.ends(partition, end);
      },
      () => {},
    );
  }, ENDS_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    clearInterval(ends);
    show();
  };
}

/** A log whose lines stand where the table was, which is then drawn anew below them. */
function logBesides(table: LiveTable, log: Log): Log {
  const line =
    (level: "debug" | "info" | "warn" | "error") =>
    (fields: object, message: string): void => {
      table.clear();
      log[level](fields, message);
    };
  return {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    isLevelEnabled: (level) => log.isLevelEnabled(level),
  };
}

/** Says the same kind of thing at most once a second: a broker that is away fails a hundred times. */
function oftenSaid(say: (message: string) => void) {
  let saidMs = Number.NEGATIVE_INFINITY;
  const one = (message: string): void => {
    const nowMs = performance.now();
    if (nowMs - saidMs < TROUBLE_INTERVAL_MS) return;
    saidMs = nowMs;
    say(message);
  };
  return Object.assign(one, { ofError: (error: Error) => one(error.message) });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** What is closed at the end may be a broker that is away. */
async function settledWithin(work: unknown, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  const settled = Promise.resolve(work).then(
    () => {},
    () => {},
  );
  await Promise.race([settled, timeout]);
  clearTimeout(timer);
}
