/** What ends or freezes the process: models, files, the log, signals. */
import { once } from "node:events";
import { openSync, truncateSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Bed, Server } from "./bed.ts";
import { connectJson, scoresIris } from "./calls.ts";
import type { Fault } from "./fault.ts";
import { writeExternalModel, writeHangingModel, writeLookupModel, writeSmallModel } from "./fault-models.ts";
import { held } from "./held.ts";

const PREDICT = "ScoringService/Predict";
const RUN_TIMEOUT = ["--run-timeout-ms", "1000"];

/** A repository with a model that answers on, and what `write` adds. */
function repository(bed: Bed, write: (folder: string) => void): string {
  const folder = bed.newFolder("repository");
  writeSmallModel(folder, "iris", 4);
  write(folder);
  return folder;
}

/** A run that never ends, and what the other model answers meanwhile. */
function hungRun(name: string, flags: readonly string[]): Fault {
  return {
    name,
    run: (bed) =>
      held(
        bed,
        async ({ url }) => {
          const hung = connectJson(url, PREDICT, { modelName: "hang", features: [1e12] });
          let answered = 0;
          for (let i = 0; i < 10; i++, await delay(300)) if (await scoresIris(url, 3000)) answered++;
          const { status, text } = await hung;
          // Whoever cannot end the run ends the process a while later.
          await delay(8000);
          const bad = answered < 10 || status === 0 || status === 200;
          return `${bad ? "wrong: " : ""}${status} ${text.slice(0, 80)}; the other model answered ${answered} of 10`;
        },
        { models: repository(bed, (folder) => writeHangingModel(folder, "hang", false)), flags },
      ),
  };
}

/** Two signals as a terminal or systemd sends them, with a call in flight. */
function signalled(name: string, send: (server: Server) => void, mayGoOn = false): Fault {
  return {
    name,
    async run(bed) {
      const models = repository(bed, (folder) => writeHangingModel(folder, "slow", false));
      const server = await bed.serve([], { models });
      // A run of about a second.
      const trips = await tripsOfASecond(server.url);
      const call = connectJson(server.url, PREDICT, { modelName: "slow", features: [trips] });
      await delay(250);
      send(server);
      const { status } = await call;
      const ended = await Promise.race([server.ended, delay(15_000)]);
      // A server may have its own use for a signal that is none to end.
      if (ended === undefined && mayGoOn && (await scoresIris(server.url)))
        return { faulty: status !== 200, came: `the call ${status}, it serves on` };
      const { code, signal } = ended ?? { code: null, signal: "not over" };
      return {
        faulty: status !== 200 || code !== 0,
        came: `the call ${status}, exit ${signal ?? code}`,
      };
    },
  };
}

/** How many trips of the looping model take about a second here. */
async function tripsOfASecond(url: string): Promise<number> {
  for (let trips = 100_000; ; trips *= 4) {
    const started = performance.now();
    await connectJson(url, PREDICT, { modelName: "slow", features: [trips] });
    const took = performance.now() - started;
    if (took > 300) return (trips * 1000) / took;
  }
}

/** Errors that are logged, provoked by any caller. */
async function provokeErrors(url: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await connectJson(url, PREDICT, {
      modelName: "lookup",
      features: [],
      inputs: [{ name: "ids", datatype: "INT64", shape: [1], contents: { int64Contents: [99] } }],
    });
}

export const PROCESS_FAULTS: readonly Fault[] = [
  hungRun("a run past --run-timeout-ms", RUN_TIMEOUT),
  hungRun("a run past --run-timeout-ms, in a process", [...RUN_TIMEOUT, "--isolation", "process"]),
  {
    name: "a model whose run at load never ends",
    seconds: 90,
    run: (bed) =>
      held(
        bed,
        async (server) => {
          await delay(15_000);
          const ready = await (await fetch(`${server.url}/readyz`)).text();
          return `${ready.includes("hang") ? "" : "wrong: "}/readyz ${ready.slice(0, 160)}`;
        },
        {
          models: repository(bed, (folder) => writeHangingModel(folder, "hang", true)),
          flags: RUN_TIMEOUT,
          seconds: 30,
        },
      ),
  },
  {
    name: "assay inspect on such a model, then Ctrl-C",
    seconds: 90,
    async run(bed) {
      const folder = bed.newFolder("repository");
      writeHangingModel(folder, "hang", true);
      const inspect = bed.start(["inspect", join(folder, "hang")]);
      await Promise.race([inspect.ended, delay(8000)]);
      inspect.signalGroup("SIGINT");
      const ended = await Promise.race([inspect.ended, delay(8000)]);
      return {
        faulty: ended === undefined,
        came: ended === undefined ? "it goes on" : `exit ${ended.signal ?? ended.code}`,
      };
    },
  },
  {
    name: "assay score on such a model, then Ctrl-C",
    seconds: 90,
    async run(bed) {
      const folder = bed.newFolder("repository");
      writeHangingModel(folder, "hang", true);
      writeFileSync(join(bed.folder, "in.csv"), "features\n1\n2\n");
      const score = bed.start([
        "score",
        "--models",
        folder,
        "--model",
        "hang",
        "--input",
        "in.csv",
        "--output",
        "out.csv",
      ]);
      await Promise.race([score.ended, delay(8000)]);
      score.signalGroup("SIGINT");
      const ended = await Promise.race([score.ended, delay(8000)]);
      return {
        faulty: ended === undefined,
        came: ended === undefined ? "it goes on" : `exit ${ended.signal ?? ended.code}`,
      };
    },
  },
  {
    name: "standard error on a full disk",
    run: (bed) =>
      held(
        bed,
        async ({ url }) => {
          await provokeErrors(url, 20);
          return "errors were provoked";
        },
        { models: repository(bed, writeLookupModel), stderr: openSync("/dev/full", "w") },
      ),
  },
  {
    name: "standard error is a pipe that nobody reads",
    run: (bed) =>
      held(
        bed,
        async ({ url }) => {
          await provokeErrors(url, 1500);
          return "errors were provoked";
        },
        { models: repository(bed, writeLookupModel), stderr: "unread", flags: ["--log-level", "trace"] },
      ),
  },
  {
    name: "model.onnx.data is cut while it serves",
    run: (bed) => dataChanged(bed, (path) => truncateSync(path, 0)),
  },
  {
    name: "model.onnx.data is overwritten while it serves",
    run: (bed) =>
      dataChanged(bed, (path) =>
        writeFileSync(path, new Uint8Array(new Float32Array(1_000_000).fill(9).buffer)),
      ),
  },
  signalled("SIGINT to the whole group, with a call in flight", (server) => server.signalGroup("SIGINT")),
  signalled("SIGTERM twice at once, with a call in flight", (server) => {
    server.signalGroup("SIGTERM");
    server.child.kill("SIGTERM");
  }),
  signalled("SIGINT twice within a moment, with a call in flight", (server) => {
    server.child.kill("SIGINT");
    setTimeout(() => server.child.kill("SIGINT"), 200);
  }),
  signalled("SIGHUP, with a call in flight", (server) => server.child.kill("SIGHUP"), true),
  {
    name: "SIGTERM while models load",
    async run(bed) {
      const server = bed.start(["serve", "--models", bed.models, "--devices", "cpu", "--port", "0"]);
      await delay(700);
      server.signalGroup("SIGTERM");
      const { code, signal } = await server.ended;
      const clean = code === 0 || code === 143 || signal === "SIGTERM";
      return { faulty: !clean || /Napi|abort/i.test(server.stderr()), came: `exit ${signal ?? code}` };
    },
  },
  {
    name: "SIGTERM with HTTP/1.1 keep-alive callers",
    async run(bed) {
      const server = await bed.serve(["--drain-grace-ms", "1000"]);
      const socket = connect(server.port, "127.0.0.1");
      let came = "";
      let lost = "";
      socket.on("error", (error) => {
        lost = error.message;
      });
      socket.setEncoding("latin1").on("data", (text: string) => {
        came += text;
      });
      const ask = () => socket.write("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n");
      ask();
      await delay(300);
      server.child.kill("SIGTERM");
      await delay(400);
      came = "";
      ask();
      await once(socket, "close");
      const told = /connection: close/i.test(came);
      return {
        faulty: !told || lost !== "",
        came: `${told ? "told connection: close" : came.slice(0, 60) || "no answer"} ${lost}`,
      };
    },
  },
];

/** Scores from a model whose weights lie in another file, before and after that file changed. */
function dataChanged(bed: Bed, change: (path: string) => void) {
  let path = "";
  const models = repository(bed, (folder) => {
    path = writeExternalModel(folder, 1_000_000);
  });
  return held(
    bed,
    async ({ url }) => {
      const ask = async (id: number) => {
        const contents = { int64Contents: [id] };
        const inputs = [{ name: "ids", datatype: "INT64", shape: [1], contents }];
        return (await connectJson(url, PREDICT, { modelName: "external", inputs, outputNames: ["*"] })).text;
      };
      await ask(0);
      change(path);
      const answers = [await ask(10), await ask(400_000), await ask(999_999)];
      const right = answers.every((text) => /"fp32Contents":\[7\]|"scores":\[7\]/.test(text));
      return `${right ? "the loaded weights" : `wrong: ${answers.at(-1)?.slice(0, 100)}`}`;
    },
    { models },
  );
}
