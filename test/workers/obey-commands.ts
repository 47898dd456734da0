import { spawnSync } from "node:child_process";
import { BroadcastChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { WorkerCommand } from "../support/servers/worker-commands.ts";

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
    case "compute": {
      const { user } = process.threadCpuUsage();
      while (process.threadCpuUsage().user - user < command.ms * 1000);
      break;
    }
    case "hang-in-native-code":
      spawnSync(process.execPath, ["-e", `setTimeout(() => {}, ${command.ms})`]);
  }
}

/** Obeys the commands that came and are for all or for `device`. */
export function obeyCommands(device: string): void {
  for (let mail = receiveMessageOnPort(port); mail !== undefined; mail = receiveMessageOnPort(port)) {
    const command = mail.message as WorkerCommand;
    if (command.device === undefined || command.device === device) obey(command);
  }
}
