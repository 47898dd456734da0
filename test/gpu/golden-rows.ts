/**
 * Runs the golden rows of the example models on each GPU, through CUDA and through WebGPU: `npm run test:gpu`. Prints a line a
 * model and device, `skipped: reason` for what this machine lacks, and a sum; fails if golden rows are missed.
 */

import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../src/errors.ts";
import { passGoldenGate } from "../../src/model/gate/golden-gate.ts";
import type { PreparedModel } from "../../src/model/prepared-model.ts";
import { scanRepository } from "../../src/model/repository.ts";
import { createPool } from "../../src/pool/create-pool.ts";
import { readDeviceListing } from "../../src/pool/device-listing.ts";
import { chooseDevices } from "../../src/pool/devices.ts";
import { runTensors } from "../../src/pool/pool.ts";
import { type Device, deviceName } from "../../src/worker/device.ts";
import { silentLog } from "../support/servers/silent-log.ts";

const counts = { passed: 0, failed: 0, skipped: 0 };

function skipped(what: string, error: unknown): void {
  if (!(error instanceof AssayError) || error.reason !== Reason.DEVICE_UNAVAILABLE) throw error;
  counts.skipped++;
  console.log(`${what} skipped: ${error.message}`);
}

async function runOn(device: Device, model: PreparedModel): Promise<void> {
  const what = `${deviceName(device)} ${model.modelName}`;
  const pool = await createPool({ model, devices: [device], log: silentLog });
  try {
    const outcome = await passGoldenGate(model, (inputs) => runTensors(pool, inputs));
    if (outcome.kind === "refused") {
      counts.failed++;
      console.log(`${what} failed: ${outcome.reason}`);
    } else {
      counts.passed++;
      console.log(`${what} passed: ${model.goldenCases.length} golden cases, batching ${outcome.batching}`);
    }
  } finally {
    await pool.close();
  }
}

const found = await scanRepository("models");
const models = found.flatMap((one) => (one.kind === "prepared" ? [one.model] : []));
for (const wanted of ["cuda", "webgpu"]) {
  try {
    const { devices } = chooseDevices(wanted, readDeviceListing(process.env.CUDA_VISIBLE_DEVICES));
    for (const device of devices) for (const model of models) await runOn(device, model);
  } catch (error) {
    skipped(wanted, error);
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;
