/**
 * Ten minutes of everything at once against one server: gRPC unary calls and streams, gRPC-Web, Connect in both forms, /predict,
 * with cancels, deadlines, bad input and disconnects. Each answer is compared with the truth, `2x + 1`. Fails where an answer is
 * lost, comes twice or is wrong, where the server ends, or where its memory after a collection is more than 1.2 times that of the start.
 *
 *   npm run soak
 *   npm run soak -- --minutes 2
 */
import { connect as connectTcp } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { writeAffineRepository } from "../support/models/affine-repository.ts";
import { startSoakServer } from "./soak-server-process.ts";
import { type Counts, overGrpcJs, overPredict, overRpc, overStream, type Way } from "./ways.ts";

/** Resident memory at the end, over that after the warm-up. */
const MOST_GROWTH = 1.2;
/** Before the minutes that are asked for. */
const WARM_UP_MS = 60_000;

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: a number above 0 is expected`);

const repository = writeAffineRepository();
const server = await startSoakServer(repository.folder);
const { url, port } = server;
const counts: Counts = { sent: 0, right: 0, refused: 0, cancelled: 0, wrong: 0, lost: 0, doubled: 0 };
const examples: string[] = [];
let over = false;

/** Calls one way again and again until the end, with pauses, so that two cores are shared by all. */
async function caller(way: Way): Promise<void> {
  while (!over) {
    try {
      await way(counts);
    } catch (error) {
      counts.lost++;
      if (examples.length < 10) examples.push((error as Error).message);
    }
    await delay(Math.random() * 20);
  }
}

/** Connections that say something wrong, half of something, or nothing, and go. */
async function disturber(): Promise<void> {
  const texts = [
    "GET / HTTP/1.1\r\nhost",
    "POST /predict/affine HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\u0000\u0001\u0002",
  ];
  while (!over) {
    const socket = connectTcp(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(texts[Math.floor(Math.random() * texts.length)]!);
    await delay(Math.random() * 100);
    socket.destroy();
  }
}

const ways: Way[] = [
  overRpc(createGrpcTransport({ baseUrl: url })),
  overRpc(createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" })),
  overRpc(createConnectTransport({ baseUrl: url, httpVersion: "2" })),
  overRpc(createConnectTransport({ baseUrl: url, httpVersion: "1.1", useBinaryFormat: false })),
  overStream(createGrpcTransport({ baseUrl: url })),
  overStream(createConnectTransport({ baseUrl: url, httpVersion: "2" })),
  overGrpcJs(`127.0.0.1:${port}`),
  overPredict(url),
];

const all = [...ways, ...ways].map(caller);
all.push(disturber());
// What V8 and ONNX Runtime set up for good is there after a minute.
await delay(WARM_UP_MS);
const before = await server.residentMib();
const endAt = performance.now() + minutes * 60_000;
while (performance.now() < endAt && server.alive()) {
  await Promise.race([delay(Math.min(30_000, Math.max(0, endAt - performance.now()))), server.ended]);
  console.log(`${new Date().toISOString()} ${line(counts)}, ${await server.residentMib()} MiB`);
}
const alive = server.alive();
over = true;
await Promise.race([Promise.all(all), delay(20_000)]);
await delay(1000);
const after = alive ? await server.residentMib() : Number.POSITIVE_INFINITY;
const code = await server.terminate();
repository.remove();

const growth = after / before;
for (const example of examples) console.log(`lost: ${example}`);
console.log(line(counts));
console.log(
  `memory after a collection: ${before} MiB after the warm-up, ${after} at the end: ${growth.toFixed(2)} (at most ${MOST_GROWTH})`,
);
console.log(`exit of the server after SIGTERM: ${code}`);
const failed =
  counts.wrong + counts.lost + counts.doubled > 0 || growth > MOST_GROWTH || code !== 0 || counts.right === 0;
console.log(failed ? "failed" : "held");
process.exit(failed ? 1 : 0);

function line({ sent, right, refused, cancelled, wrong, lost, doubled }: Counts): string {
  return `${sent} rows sent: ${right} right, ${refused} refused as they should, ${cancelled} cancelled or late; ${lost} lost, ${doubled} doubled, ${wrong} wrong`;
}
