/** Sends each message back. */
import { parentPort } from "node:worker_threads";

parentPort!.on("message", (message) => parentPort!.postMessage(message));
