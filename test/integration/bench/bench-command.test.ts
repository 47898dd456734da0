import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { smallRepository, startCommand } from "../../support/clients/command-process.ts";
import { fileFolder } from "../../support/folders.ts";
import { benchRun } from "../../support/load/bench-run.ts";
import { startPredictServer } from "../../support/load/predict-server.ts";
import { startAppServer } from "../../support/servers/app-server.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const folder = fileFolder();
const request = join(folder, "request.json");

const server = await fileServer(smallRepository());
beforeAll(async () => {
  writeFileSync(request, JSON.stringify({ features: [5.1, 3.5, 1.4, 0.2] }));
});
function bench(...flags: string[]) {
  const args = [
    "bin/assay.cjs",
    "bench",
    "--server",
    server.url,
    "--duration",
    "0.2",
    "--warmup",
    "0.1",
    ...flags,
  ];
  return run(process.execPath, args);
}

test("a table, and nothing on standard error where it is no terminal", async () => {
  const { status, stdout, stderr } = await bench();
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(
    /^http:\/\/127\.0\.0\.1:\d+: grpc over HTTP\/2 with iris, closed loop, 16 calls in flight/,
  );
  expect(stdout).toMatch(/failed +none\n/);
});

test("--json is one object, of an open loop too, whose thread ends with the run", async () => {
  const { status, stdout } = await bench(
    "--json",
    "--rate",
    "100",
    "--request",
    request,
    "--protocol",
    "connect-json",
  );
  expect(status).toBe(0);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({
    calls: 20,
    failed: 0,
    run: { rate_per_second: 100, protocol: "connect-json" },
  });
  expect(report.open_loop.late_calls).toBeTypeOf("number");
});

test("the exit code is 1 where calls failed, unless so many may", async () => {
  const failing = ["--request", request, "--model", "irs"];
  const { status, stdout } = await bench(...failing);
  expect(status).toBe(1);
  expect(stdout).toMatch(/NOT_FOUND MODEL_NOT_FOUND: the server has no model "irs"/);
  expect((await bench(...failing, "--max-error-rate", "1")).status).toBe(0);
});

test("the exit code is 2 for wrong arguments and for servers elsewhere", async () => {
  const elsewhere = ["bin/assay.cjs", "bench", "--server", "http://192.0.2.1:8080", "--model", "iris"];
  const [unknown, remote] = await Promise.all([
    bench("--rates", "1", "now"),
    run(process.execPath, elsewhere),
  ]);
  expect([unknown, remote]).toMatchObject([
    { status: 2, stdout: "" },
    { status: 2, stdout: "" },
  ]);
  expect(unknown.stderr).toMatch(/--rates is not known; did you mean --rate\?.*see assay bench --help/s);
  expect(remote.stderr).toMatch(/192\.0\.2\.1 is not a loopback address .* add --allow-remote/);
});

test("a server with TLS is called by https, with authorities that the environment names", async () => {
  const files = {
    "tls-cert": "test/fixtures/tls/localhost-cert.pem",
    "tls-key": "test/fixtures/tls/localhost-key.pem",
  };
  const secure = await startAppServer(smallRepository(), files);
  const call = (protocol: string, env: NodeJS.ProcessEnv) => {
    const url = `https://localhost:${secure.app.address.port}`;
    const flags = ["--duration", "0.1", "--warmup", "0", "--protocol", protocol, "--request", request];
    return run(process.execPath, ["bin/assay.cjs", "bench", "--server", url, ...flags], { env });
  };
  const trusting = { ...process.env, NODE_EXTRA_CA_CERTS: files["tls-cert"] };
  const called = await Promise.all([call("grpc", trusting), call("predict", trusting)]);
  expect(called).toMatchObject([
    { status: 0, stderr: "" },
    { status: 0, stderr: "" },
  ]);
  const url = `localhost:${secure.app.address.port}`;
  const untrusted = benchRun({ server: `https://${url}` }, { features: [1, 2, 3, 4] });
  await expect(untrusted).rejects.toThrow("its certificate is not trusted");
  const cleartext = benchRun({ server: `http://${url}` }, { features: [1, 2, 3, 4] });
  await expect(cleartext).rejects.toThrow("this port takes TLS only: use https");
  await expect(benchRun({ server: `http://${url}` })).rejects.toThrow("it speaks TLS there: use https");
  await secure.app.close();
});

test("Ctrl-C ends a run early, and what was measured is told", async () => {
  const some = 50;
  let interrupt = () => {};
  const predict = await startPredictServer((answer, count) => {
    answer();
    if (count === some) interrupt();
  });
  const flags = [
    "--protocol",
    "predict",
    "--request",
    request,
    "--duration",
    "3600",
    "--warmup",
    "0",
    "--json",
  ];
  const child = startCommand(["bench", "--server", predict.url, ...flags]);
  interrupt = () => child.signalGroup("SIGINT");
  const [code] = await child.ended;
  await predict.close();
  const report = JSON.parse(child.printed.stdout);
  expect({ code, stderr: child.printed.stderr }).toEqual({ code: 0, stderr: "" });
  expect(report).toMatchObject({ interrupted: true, failed: 0, unanswered: 0 });
  expect(report.calls).toBeGreaterThanOrEqual(some - 1);
  expect(report.measured_seconds).toBeLessThan(600);
});
