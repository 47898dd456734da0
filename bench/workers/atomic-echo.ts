/** Answers each request at once, in the way that `src/worker/worker.ts` waits and answers. */
import { workerData } from "node:worker_threads";
import { REQUEST, RESPONSE } from "../../src/worker/channel.ts";

const words = new Int32Array(workerData as SharedArrayBuffer);
for (let request = 0; ; ) {
  Atomics.wait(words, REQUEST, request);
  request = Atomics.load(words, REQUEST);
  Atomics.store(words, RESPONSE, request);
  Atomics.notify(words, RESPONSE);
}
