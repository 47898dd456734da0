/**
 * A worker entry that tests give to `createPool`: the shipped worker, which before each run obeys the commands that were posted
 * to it. The shipped package has no such thing.
 */
import { spawnSync } from "node:child_process";
import { BroadcastChannel, type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { WorkerStart } from "../../src/worker/channel.ts";
import { deviceName } from "../../src/worker/device.ts";
import { serveRuns } from "../../src/worker/worker.ts";
import type { WorkerCommand } from "../support/servers/worker-commands.ts";

const start = workerData as WorkerStart;
const channel = new BroadcastChannel("assay test worker commands");
channel.unref();
// Node takes both here (worker_threads, receiveMessageOnPort); its types know of ports only.
const port = channel as unknown as MessagePort;

function obey(command: WorkerCommand): void {
  switch (command.kind) {
    case "exit":
      process.exit(7);
      break;
    case "throw":
      throw new Error("thrown by a test");
    case "pause":
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, command.ms);
      break;
    case "hang-in-native-code":
      spawnSync(process.execPath, ["-e", `setTimeout(() => {}, ${command.ms})`]);
  }
}

await serveRuns(start, () => {
  for (let mail = receiveMessageOnPort(port); mail !== undefined; mail = receiveMessageOnPort(port)) {
    const command = mail.message as WorkerCommand;
    if (command.device === undefined || command.device === deviceName(start.device)) obey(command);
  }
});
