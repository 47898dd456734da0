import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readDeviceListing } from "../../../src/pool/device-listing.ts";

test("the driver's folder is read as it lies", () => {
  const folder = mkdtempSync(join(tmpdir(), "assay-gpus-"));
  for (const address of ["0000:0a:00.0", "0000:07:00.0"]) {
    mkdirSync(join(folder, address));
    writeFileSync(
      join(folder, address, "information"),
      `Model: \t GPU at ${address}\nBus Location: \t ${address}\n`,
    );
  }
  const { gpus } = readDeviceListing(undefined, folder);
  rmSync(folder, { recursive: true });
  expect(gpus?.map((gpu) => gpu.model)).toEqual(["GPU at 0000:07:00.0", "GPU at 0000:0a:00.0"]);
});

test("without a driver there is no listing", () => {
  const listing = readDeviceListing("1", join(tmpdir(), "no such folder"));
  expect(listing).toMatchObject({ gpus: undefined, cudaVisibleDevices: "1" });
});
