import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Admin, Producer } from "@platformatic/kafka";

const KAFKA = join(
  process.env.ASSAY_TOOLS_DIR ??
    join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME!, ".cache"), "assay-tools"),
  "bin/kafka",
);
const BROKER = join("scripts", "kafka-broker.sh");
const MOST_QUIET_MS = 20_000;
/** Of a broker: its port, its controller's, and one for a further listener. */
const BROKER_PORTS = 3;
const LOWEST_PORT = 20_000;
const PLACES = 3_000;
const RUN = promisify(execFile);

/** A record of a topic, as Kafka's own consumer prints it. */
export interface ReadRecord {
  readonly partition: number;
  readonly key: string;
  readonly value: string;
  readonly headers: string;
}

/** A real broker in a process of its own; whoever started it ends it. */
export class KafkaBroker {
  readonly address: string;
  private readonly folder: string;
  private readonly port: number;
  private readonly more: readonly string[];
  private child: ChildProcess | undefined;

  private constructor(folder: string, port: number, more: readonly string[]) {
    this.folder = folder;
    this.port = port;
    this.more = more;
    this.address = `127.0.0.1:${port}`;
  }

  /** Starts a broker that keeps its data in a folder; `more` are further arguments of `scripts/kafka-broker.sh`, by its port. */
  static async start(
    folder: string,
    more: (port: number) => readonly string[] = () => [],
  ): Promise<KafkaBroker> {
    const port = await brokerPort();
    const broker = new KafkaBroker(folder, port, more(port));
    await broker.restart();
    return broker;
  }

  /** Starts brokers of one cluster, in a folder each. */
  static async startCluster(folder: string, count: number): Promise<KafkaBroker[]> {
    const ports: number[] = [];
    while (ports.length < count) {
      const port = await brokerPort();
      if (!ports.includes(port)) ports.push(port);
    }
    const brokers = ports.map((port) => new KafkaBroker(join(folder, String(port)), port, ports.map(String)));
    await Promise.all(brokers.map((broker) => broker.restart()));
    return brokers;
  }

  /** A broker that is there already, which is only spoken with. */
  static at(address: string): KafkaBroker {
    return new KafkaBroker("", Number(address.slice(address.lastIndexOf(":") + 1)), []);
  }

  /** Starts it again where it has ended, and waits until it answers. */
  async restart(): Promise<void> {
    const child = spawn(BROKER, [this.folder, String(this.port), ...this.more], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.child = child;
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = `${said}${text}`.slice(-10_000);
    });
    const until = Date.now() + 60_000;
    for (;;) {
      const admin = this.admin({ retries: 0 });
      try {
        await admin.listTopics();
        return;
      } catch (error) {
        if (child.exitCode !== null || Date.now() > until)
          throw new Error(`the broker does not answer: ${said}`, { cause: error });
      } finally {
        await admin.close();
      }
      await delay(100);
    }
  }

  /** A client that asks and sets things; the caller closes it. */
  admin(options: { readonly retries?: number } = {}): Admin {
    return new Admin({ clientId: "test", bootstrapBrokers: [this.address], ...options });
  }

  /** SIGKILL; resolves once it is gone. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** Makes topics. */
  async createTopics(
    topics: readonly string[],
    partitions: number,
    { replicas = 1, configs = {} }: { replicas?: number; configs?: Record<string, string> } = {},
  ): Promise<void> {
    const admin = this.admin();
    const settings = Object.entries(configs).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [...topics], partitions, replicas, configs: settings });
    await admin.close();
  }

  /** A producer of octets that goes on over the broker's death; the caller closes it. */
  producer(others: readonly KafkaBroker[] = []): Producer<Buffer, Buffer, Buffer, Buffer> {
    return new Producer<Buffer, Buffer, Buffer, Buffer>({
      clientId: "test",
      bootstrapBrokers: [this, ...others].map(({ address }) => address),
      idempotent: true,
      retries: 1000,
      retryDelay: 100,
    });
  }

  /** All of a topic that is committed, read by Kafka's own consumer: as independent as can be. */
  async read(topic: string, quietMs = 4000): Promise<ReadRecord[]> {
    const properties = ["print.key", "print.partition", "print.headers"].flatMap((name) => [
      "--formatter-property",
      `${name}=true`,
    ]);
    const limits = ["--timeout-ms", String(quietMs)];
    const from = ["--from-beginning", "--isolation-level", "read_committed"];
    const args = [
      "org.apache.kafka.tools.consumer.ConsoleConsumer",
      "--bootstrap-server",
      this.address,
      "--topic",
      topic,
    ];
    const { stdout } = await RUN(KAFKA, [...args, ...from, ...limits, ...properties], { maxBuffer: 2 ** 30 });
    const lines = stdout.split("\n").filter((line) => line.startsWith("Partition:"));
    // On a busy machine its start takes as long.
    if (lines.length === 0 && quietMs < MOST_QUIET_MS) return this.read(topic, MOST_QUIET_MS);
    return lines.map((line) => {
      const [partition, headers, key, value] = line.split("\t");
      return {
        partition: Number(partition!.slice("Partition:".length)),
        headers: headers!,
        key: key!,
        value: value!,
      };
    });
  }
}

/**
 * A port that is free, as are the two after it, which are the broker's too. They lie below those that systems give to whoever connects:
 * one of these may be another's at any moment.
 */
async function brokerPort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + BROKER_PORTS * Math.floor(Math.random() * PLACES);
    const free = await Promise.all(Array.from({ length: BROKER_PORTS }, (_, at) => isFree(port + at)));
    if (!free.includes(false)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
