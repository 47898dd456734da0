/** The clients of brokers: how they connect, how patient they are, and what their errors mean. */
import { isIP } from "node:net";
import { type BaseOptions, Consumer, findErrorBy, Producer, type ProducerOptions } from "@platformatic/kafka";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { ConsumeSettings } from "../../config/consume-settings.ts";
import { AssayError, messageOf } from "../../errors.ts";
import { type ConnectionSettings, refusedConnection } from "./refused-connection.ts";

/** Producers of octets. */
export type OctetProducer = Producer<Buffer, Buffer, Buffer, Buffer>;
/** Consumers of octets. */
export type OctetConsumer = Consumer<Buffer, Buffer, Buffer, Buffer>;

/** About half a minute with the delays below; then the caller decides. */
const RETRIES = 70;
const HEARTBEATS_A_SESSION = 4;

/** The delay before a retry: short at first, since a broker says "not yet" between two transactions. */
function retryDelay(_client: unknown, _operation: string, attempt: number): number {
  return Math.min(500, 5 * 2 ** Math.min(attempt - 1, 10));
}

/** How all clients connect. */
export function connectionOptions(settings: ConsumeSettings): BaseOptions {
  const { brokers, tlsTexts, saslMechanism, saslUsername, saslPassword } = settings;
  return {
    clientId: "assay",
    bootstrapBrokers: [...brokers],
    retries: RETRIES,
    retryDelay,
    ...(tlsTexts === undefined ? {} : tlsOptions(tlsTexts, brokers)),
    ...(saslMechanism === ""
      ? {}
      : {
          sasl: {
            mechanism: saslMechanism as "PLAIN",
            username: saslUsername,
            password: saslPassword ?? "",
          },
        }),
  };
}

/** A name for TLS to ask for goes with brokers that have one: what stands before many of them tells them apart by it. */
function tlsOptions(
  texts: NonNullable<ConsumeSettings["tlsTexts"]>,
  brokers: readonly string[],
): Pick<BaseOptions, "tls" | "tlsServerName"> {
  const named = Object.entries(texts).filter(([, text]) => text !== undefined);
  const hasNames = brokers.some(
    (address) => isIP(address.replace(/:\d+$/, "").replace(/^\[|\]$/g, "")) === 0,
  );
  return { tls: Object.fromEntries(named), ...(hasNames ? { tlsServerName: true } : {}) };
}

/** A member of the group; it joins when it is told to. */
export function createMember(settings: ConsumeSettings): OctetConsumer {
  const { group, sessionTimeoutMs } = settings;
  return new Consumer<Buffer, Buffer, Buffer, Buffer>({
    ...connectionOptions(settings),
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: Math.max(sessionTimeoutMs, 30_000),
    heartbeatInterval: Math.max(100, Math.floor(sessionTimeoutMs / HEARTBEATS_A_SESSION)),
    protocols: [{ name: "cooperative-sticky", version: 3 }],
    autocommit: false,
  });
}

/** A client that fetches; what fails is its caller's to try again, since positions may have changed by then. */
export function createReader(settings: ConsumeSettings): OctetConsumer {
  return new Consumer<Buffer, Buffer, Buffer, Buffer>({
    ...connectionOptions(settings),
    retries: 0,
    groupId: settings.group,
    autocommit: false,
  });
}

/** A producer; one with a name of its own for transactions fences whoever had it before. */
export function createProducer(
  settings: ConsumeSettings,
  transactionalId: string | undefined,
): OctetProducer {
  const options: ProducerOptions<Buffer, Buffer, Buffer, Buffer> = {
    ...connectionOptions(settings),
    idempotent: true,
    // What InitProducerId names as the transaction's time-out.
    timeout: settings.transactionTimeoutMs,
    // Without them the client asks for the producer 0, as whom it is refused after a restart.
    producerId: -1n,
    producerEpoch: -1,
    ...(transactionalId === undefined ? {} : { transactionalId }),
  };
  return new Producer<Buffer, Buffer, Buffer, Buffer>(options);
}

/** Whether an error holds one that a broker gave by this name. */
export function isBrokerError(error: unknown, ...names: readonly string[]): boolean {
  return names.some((name) => findErrorBy(error as Error, "apiId", name) !== null);
}

/** Whether a commit was refused because the group is being shared anew, or was since this member looked. */
export function isRebalance(error: unknown): boolean {
  return isBrokerError(error, "REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION");
}

/** What went wrong, in one line: the innermost errors, which the client's own only count. */
export function brokerMessage(error: unknown): string {
  const seen = new Set<string>();
  const visit = (one: unknown, depth: number): void => {
    const { errors, cause, serverErrorMessage, apiId } = one as {
      errors?: unknown[];
      cause?: unknown;
      serverErrorMessage?: string | null;
      apiId?: string;
    };
    if (depth < 8 && Array.isArray(errors) && errors.length > 0) {
      for (const inner of errors.slice(-2)) visit(inner, depth + 1);
    } else if (depth < 8 && cause instanceof Error) visit(cause, depth + 1);
    else seen.add(`${apiId === undefined ? "" : `${apiId}: `}${serverErrorMessage ?? messageOf(one)}`);
  };
  visit(error, 0);
  return [...seen].join("; ");
}

/** Partitions of each topic. Throws what a person has to mend: brokers that do not answer, topics that are not there. */
export async function checkTopics(
  member: OctetConsumer,
  topics: readonly string[],
  settings: ConnectionSettings,
): Promise<Map<string, number>> {
  const { brokers } = settings;
  const counts = new Map<string, number>();
  for (const topic of topics) {
    try {
      const { topics: found } = await member.metadata({ topics: [topic], retries: 3 });
      counts.set(topic, found.get(topic)?.partitionsCount ?? 0);
    } catch (error) {
      // The client has words of its own for what a broker calls by a code.
      const isUnknown =
        isBrokerError(error, "UNKNOWN_TOPIC_OR_PARTITION") || brokerMessage(error).includes("Unknown topic");
      if (!isUnknown) {
        const why = refusedConnection(error, settings) ?? brokerMessage(error);
        const what = `the brokers ${brokers.join(", ")} cannot be asked about the topic ${topic}: ${why}`;
        throw new AssayError(Reason.SERVER_UNREACHABLE, what, { cause: error });
      }
      counts.set(topic, 0);
    }
  }
  const missing = topics.filter((topic) => counts.get(topic) === 0);
  if (missing.length === 0) return counts;
  const create = `kafka-topics.sh --bootstrap-server ${brokers[0]} --create --topic ${missing[0]} --partitions 4`;
  throw new AssayError(
    Reason.CONFIG_INVALID,
    `the brokers have no topic ${missing.join(" and no topic ")}; make it with ${create}`,
  );
}
