import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readDeviceListing, readGpus, visibleGpus } from "../../../src/pool/device-listing.ts";
import { testFolder } from "../../support/folders.ts";

function information(model: string, uuid: string, busLocation: string, excluded = "No"): string {
  return [
    `Model: \t\t ${model}`,
    "IRQ:   \t\t 181",
    `GPU UUID: \t ${uuid}`,
    "Video BIOS: \t 96.00.74.00.01",
    "Bus Type: \t PCIe",
    "DMA Size: \t 52 bits",
    "DMA Mask: \t 0xfffffffffffff",
    `Bus Location: \t ${busLocation}`,
    "Device Minor: \t 0",
    `GPU Excluded:\t ${excluded}`,
    "",
  ].join("\n");
}

const A = { model: "NVIDIA L4", uuid: "GPU-aaaa-1111", busLocation: "0000:07:00.0" };
const B = { model: "NVIDIA H200", uuid: "GPU-aabb-2222", busLocation: "0000:0a:00.0" };
const C = { model: "NVIDIA T4", uuid: "GPU-cccc-3333", busLocation: "0001:01:00.0" };

test("the driver's folder is read as it lies", () => {
  const folder = testFolder();
  for (const address of ["0000:0a:00.0", "0000:07:00.0"]) {
    mkdirSync(join(folder, address));
    writeFileSync(
      join(folder, address, "information"),
      `Model: \t GPU at ${address}\nBus Location: \t ${address}\n`,
    );
  }
  const { gpus } = readDeviceListing(undefined, folder);
  expect(gpus?.map((gpu) => gpu.model)).toEqual(["GPU at 0000:07:00.0", "GPU at 0000:0a:00.0"]);
});

test("without a driver there is no listing", () => {
  const listing = readDeviceListing("1", join(tmpdir(), "no such folder"));
  expect(listing).toMatchObject({ gpus: undefined, cudaVisibleDevices: "1" });
});

test("the driver's files become GPUs in PCI order, whatever order the folder lists them in", () => {
  const files = [
    { address: "0001:01:00.0", text: information(C.model, C.uuid, C.busLocation) },
    { address: "0000:0a:00.0", text: information(B.model, B.uuid, "0000:0A:00.0") },
    { address: "0000:0c:00.0", text: information("NVIDIA A10", "GPU-dd", "0000:0c:00.0", "Yes") },
    { address: "0000:07:00.0", text: information(A.model, A.uuid, A.busLocation) },
  ];
  expect(readGpus(files)).toEqual([A, B, C]);
});

test("a file that says little still stands for a GPU at its address", () => {
  expect(readGpus([{ address: "0000:07:00.0", text: "" }])).toEqual([
    { model: "NVIDIA GPU", uuid: "", busLocation: "0000:07:00.0" },
  ]);
});

describe("CUDA_VISIBLE_DEVICES", () => {
  test.each([
    [undefined, [A, B, C]],
    ["", []],
    ["-1", []],
    ["NoDevFiles", []],
    ["2,0", [C, A]],
    ["0,9,1", [A]],
    [" 1 , 2 ", [B, C]],
    ["GPU-cccc", [C]],
    ["GPU-aabb-2222,GPU-aaaa", [B, A]],
    ["GPU-aa", []],
    ["1,1", [B]],
  ])("%j", (value, expected) => {
    expect(visibleGpus([A, B, C], value)).toEqual(expected);
  });
});
