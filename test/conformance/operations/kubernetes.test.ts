import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { ROOT } from "../server-process.ts";
import { tool } from "../tool.ts";

const CHART = join(ROOT, "deploy/helm/assay");
const folder = fileFolder();

/** `KIND NAME` of each document, once all are of Kubernetes' own types, without a field that those lack. */
async function decoded(file: string): Promise<string[]> {
  const { status, stdout, stderr } = await run(tool("go-manifests"), [file]);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout.trim().split("\n").sort();
}

async function rendered(name: string, ...flags: string[]): Promise<{ text: string; file: string }> {
  const { status, stdout, stderr } = await run(tool("helm"), ["template", name, CHART, ...flags]);
  expect(status, stderr).toBe(0);
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, stdout);
  return { text: stdout, file };
}

test("the manifests are of Kubernetes' own types, and have what a server needs", async () => {
  expect(await decoded(join(ROOT, "deploy/kubernetes/assay.yaml"))).toEqual([
    "Deployment assay",
    "HorizontalPodAutoscaler assay",
    "PodDisruptionBudget assay",
    "Service assay",
    "Service assay-grpc",
  ]);
});

test("KServe's runtime is decoded without a field too many", async () => {
  expect(await decoded(join(ROOT, "deploy/kserve/serving-runtime.yaml"))).toEqual([
    "ClusterServingRuntime assay",
  ]);
});

test("a field that there is not is told", async () => {
  const file = join(folder, "wrong.yaml");
  writeFileSync(
    file,
    "apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: { ports: [{ port: 1, targetport: 2 }] }\n",
  );
  const { status, stderr } = await run(tool("go-manifests"), [file]);
  expect(status).toBe(1);
  expect(stderr).toContain("targetport");
});

describe("the chart", () => {
  test("passes helm lint", async () => {
    const { status, stdout } = await run(tool("helm"), ["lint", "--strict", CHART]);
    expect(status, stdout).toBe(0);
  });

  test("makes what Kubernetes' own types take, as it is and with all of it on", async () => {
    const plain = await rendered("one");
    expect(await decoded(plain.file)).toEqual([
      "Deployment one-assay",
      "PodDisruptionBudget one-assay",
      "Service one-assay",
      "Service one-assay-grpc",
    ]);
    expect(plain.text).toContain("terminationGracePeriodSeconds: 30");
    const all = await rendered(
      "assay",
      ...["--set", "autoscaling.enabled=true,drain.graceSeconds=15,models.volume.emptyDir.sizeLimit=1Gi"],
      ...["--set-string", "settings.MAX_BATCH_SIZE=64"],
      ...["--set-json", 'tolerations=[{"key":"gpu","operator":"Exists"}]'],
    );
    expect(await decoded(all.file)).toContain("HorizontalPodAutoscaler assay");
    expect(all.text).toContain("terminationGracePeriodSeconds: 40");
    expect(all.text).toContain('{ name: ASSAY_DRAIN_GRACE_MS, value: "15000" }');
    expect(all.text).toContain('{ name: ASSAY_MAX_BATCH_SIZE, value: "64" }');
  });

  test("refuses a value that it has no place for", async () => {
    const { status, stderr } = await run(tool("helm"), ["template", "one", CHART, "--set", "replica=3"]);
    expect(status).not.toBe(0);
    expect(stderr).toContain("replica");
  });
});
