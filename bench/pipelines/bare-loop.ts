/**
 * What `assay consume` is measured beside: a loop that consumes and produces with the same client, in transactions of what is there, and
 * does nothing with a row. Says on standard output how many rows are committed, each time.
 */
import { Consumer, type Message, Producer } from "@platformatic/kafka";

const [brokers, input, output, group] = process.argv.slice(2) as [string, string, string, string];
const MOST_ROWS = 5000;
const connection = { clientId: "bare", bootstrapBrokers: [brokers], retries: 100, retryDelay: 5 };
const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({ ...connection, groupId: group });
const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
  ...connection,
  idempotent: true,
  transactionalId: `bare-${process.pid}`,
});
const stream = await consumer.consume({
  topics: [input],
  mode: "committed",
  fallbackMode: "earliest",
  autocommit: false,
  isolationLevel: 1,
  maxWaitTime: 250,
  highWaterMark: MOST_ROWS,
});

let waiting: Message<Buffer, Buffer, Buffer, Buffer>[] = [];
let wake = () => {};
let rows = 0;
void (async () => {
  for await (const message of stream) {
    waiting.push(message);
    wake();
    // As bounded as what it is beside.
    while (waiting.length >= 4 * MOST_ROWS) await new Promise((resolve) => setImmediate(resolve));
  }
})();
for (;;) {
  if (waiting.length === 0) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    continue;
  }
  const batch = waiting.slice(0, MOST_ROWS);
  waiting = waiting.slice(MOST_ROWS);
  const transaction = await producer.beginTransaction({ producerId: -1n, producerEpoch: -1 });
  const last = new Map(batch.map((message) => [message.partition, message]));
  await transaction.send({
    messages: batch.map(({ key, value, headers, partition, timestamp }) => ({
      topic: output,
      key,
      value,
      headers,
      partition,
      timestamp,
    })),
  });
  await transaction.addConsumer(consumer as never);
  for (const message of last.values()) await transaction.addOffset(message as never);
  await transaction.commit();
  rows += batch.length;
  process.stdout.write(`${rows}\n`);
}
