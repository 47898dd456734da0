/** The entry of a further edge that tests give to `startApp`: the shipped one, which ends its thread when it is told to. */
import { BroadcastChannel } from "node:worker_threads";

const channel = new BroadcastChannel("assay test edge commands");
const end = () => process.exit(5);
channel.onmessage = end;
channel.unref();
await import("../../src/app/edges/edge-main.ts");
