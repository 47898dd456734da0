import { expect, test } from "vitest";
import { strayVariables } from "../../../src/config/stray-variables.ts";

const messages = (environment: Record<string, string>) =>
  strayVariables(environment).map(({ message }) => message);

test("a mistyped variable is told with the nearest name, any other without", () => {
  expect(messages({ ASSAY_MAX_BATCHSIZE: "4", assay_portt: "1", ASSAY_DIR: "/srv", OTHER: "x" })).toEqual([
    "ASSAY_DIR is no setting and is left alone",
    "ASSAY_MAX_BATCHSIZE is no setting and is left alone; did you mean ASSAY_MAX_BATCH_SIZE?",
    "assay_portt is no setting and is left alone; did you mean ASSAY_PORT?",
  ]);
});

test("settings of serve and score, and the file's, are no strays", () => {
  expect(
    messages({ ASSAY_PORT: "8080", ASSAY_MODEL: "iris", ASSAY_MODELS: "m", ASSAY_CONFIG: "a.json" }),
  ).toEqual([]);
});

test("what Kubernetes sets for Services named assay and assay-web is left alone without a word, but for the port", () => {
  const links = (name: string, port: number) => ({
    [`${name}_SERVICE_HOST`]: "10.0.0.11",
    [`${name}_SERVICE_PORT`]: String(port),
    [`${name}_SERVICE_PORT_HTTP`]: String(port),
    [`${name}_PORT`]: `tcp://10.0.0.11:${port}`,
    [`${name}_PORT_${port}_TCP`]: `tcp://10.0.0.11:${port}`,
    [`${name}_PORT_${port}_TCP_PROTO`]: "tcp",
    [`${name}_PORT_${port}_TCP_PORT`]: String(port),
    [`${name}_PORT_${port}_TCP_ADDR`]: "10.0.0.11",
  });
  expect(messages({ ...links("ASSAY", 8080), ...links("ASSAY_WEB", 80) })).toEqual([
    expect.stringMatching(/^ASSAY_PORT is left alone: "tcp:\/\/10\.0\.0\.11:8080" is what Kubernetes sets/),
  ]);
});
