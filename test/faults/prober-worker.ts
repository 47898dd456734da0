/** Asks a server for /livez without a pause and tells the longest wait, the one that goes on included, in milliseconds. */
import { Agent, get } from "node:http";
import { parentPort, workerData } from "node:worker_threads";

const { port } = workerData as { port: number };
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let longest = 0;
let askedAt = performance.now();

function ask(): void {
  askedAt = performance.now();
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    longest = Math.max(longest, performance.now() - askedAt);
    askedAt = performance.now();
    setTimeout(ask, 10);
  };
  const request = get({ host: "127.0.0.1", port, path: "/livez", agent }, (response) => {
    response.resume();
    response.on("end", end);
    response.on("close", end);
  });
  request.on("error", end);
}

setInterval(() => {
  parentPort?.postMessage(Math.round(Math.max(longest, performance.now() - askedAt)));
}, 100);
ask();
