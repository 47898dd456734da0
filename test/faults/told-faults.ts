/** What callers and operators are told, and what a server should start with. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Bed } from "./bed.ts";
import { connectJson, post, scoresIris } from "./calls.ts";
import type { Fault } from "./fault.ts";
import { writeLookupModel, writeSmallModel } from "./fault-models.ts";

const PREDICT = "ScoringService/Predict";

/** One request to the example models, and which answer is right. */
function asked(
  name: string,
  path: string,
  body: string,
  right: (answer: { status: number; text: string }) => boolean,
): Fault {
  return {
    name,
    async run(bed) {
      const server = await bed.serve();
      const answer = await post(`${server.url}${path}`, body);
      return { faulty: !right(answer), came: `${answer.status} ${answer.text.slice(0, 130)}` };
    },
  };
}

/** A command that ends, and what it should say. */
function said(
  name: string,
  args: (bed: Bed) => readonly string[],
  right: RegExp,
  env: NodeJS.ProcessEnv = {},
): Fault {
  return {
    name,
    async run(bed) {
      const command = bed.start(args(bed), { env });
      const ended = await Promise.race([command.ended, delay(20_000)]);
      await delay(100);
      const text = `${command.stderr()}${command.stdout()}`;
      return {
        faulty: ended === undefined || !right.test(text),
        came: `exit ${ended?.signal ?? ended?.code}: ${text.trim().split("\n").at(-1)?.slice(0, 130)}`,
      };
    },
  };
}

/** A table for the iris model, scored by position. */
function scored(
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  more: readonly string[],
  right: RegExp,
): Fault {
  return said(
    name,
    (bed) => {
      for (const [file, text] of Object.entries(files)) {
        mkdirSync(join(bed.folder, file, ".."), { recursive: true });
        writeFileSync(join(bed.folder, file), text);
      }
      const byPosition = more.includes("--map") ? [] : ["--by-position"];
      return ["score", "--models", bed.models, "--model", "iris", ...byPosition, ...more];
    },
    right,
  );
}

const CSV = "a,b,c,d\n5.1,3.5,1.4,0.2\n6.0,3.0,4.0,1.2\n";
const out = ["--output", "-", "--output-format", "csv"];

export const TOLD_FAULTS: readonly Fault[] = [
  asked(
    "everything wrong is told where model_name is empty",
    `/assay.v1.${PREDICT}`,
    '{"modelName":"","features":["Infinity",1]}',
    ({ text }) => /"model_name"/.test(text) && /features\[0\]/.test(text),
  ),
  asked(
    "a mistyped member, Connect JSON",
    `/assay.v1.${PREDICT}`,
    '{"modelName":"iris","features":[5.1,3.5,1.4,0.2],"model_versoin":"1"}',
    ({ status, text }) => status === 400 && /model_?[vV]ersion/.test(text.replace("model_versoin", "")),
  ),
  asked(
    "a mistyped member, /predict",
    "/predict/iris",
    '{"features":[5.1,3.5,1.4,0.2],"model_versoin":"1"}',
    ({ status, text }) => status === 422 && /model_version/.test(text),
  ),
  asked(
    "outputs instead of output_names, /predict",
    "/predict/iris",
    '{"features":[5.1,3.5,1.4,0.2],"outputs":["*"]}',
    ({ status, text }) => status === 422 && /output_names/.test(text),
  ),
  asked(
    "a misspelt name in output_names",
    `/assay.v1.${PREDICT}`,
    '{"modelName":"iris","features":[5.1,3.5,1.4,0.2],"outputNames":["probabilitis"]}',
    ({ status, text }) => status === 400 && /probabilities/.test(text),
  ),
  asked(
    "Python's NaN in JSON is told what to send",
    "/predict/iris",
    '{"features":[NaN,3.5,1.4,0.2]}',
    ({ status, text }) => status === 422 && /null|\\"NaN\\"/.test(text),
  ),
  asked(
    "features of two dimensions are told what to send",
    "/predict/iris",
    '{"features":[[5.1,3.5,1.4,0.2],[1,2,3,4]]}',
    ({ status, text }) => status === 422 && /inputs|rows/.test(text),
  ),
  {
    name: "INT64 inputs above 2^53 as JSON numbers",
    async run(bed) {
      const models = bed.newFolder("repository");
      writeLookupModel(models);
      const server = await bed.serve([], { models });
      // Read exactly it is out of range by its own digits; rounded, the digits that are told are others.
      const tensor = '{"name":"ids","datatype":"INT64","shape":[1],';
      const plain = await post(
        `${server.url}/predict/lookup`,
        `{"inputs":[${tensor}"data":[9007199254740993]}]}`,
      );
      const connect = await connectJson(
        server.url,
        PREDICT,
        `{"modelName":"lookup","inputs":[${tensor}"contents":{"int64Contents":[9007199254740993]}}]}`,
      );
      const right = [plain, connect].every(({ text }) => /9007199254740993|2\^53|2⁵³/.test(text));
      return {
        faulty: !right,
        came: `${plain.status} ${plain.text.slice(0, 90)}; ${connect.status} ${connect.text.slice(0, 90)}`,
      };
    },
  },
  {
    name: "a declared batch of 2, and of 0",
    async run(bed) {
      const models = bed.newFolder("repository");
      writeSmallModel(models, "two", 3, 2);
      writeSmallModel(models, "none", 3, 0);
      writeSmallModel(models, "iris", 4);
      const server = await bed.serve([], { models });
      const listed = JSON.parse((await connectJson(server.url, "ModelService/ListModels", {})).text) as {
        models: { modelName: string; state: string; stateReason?: string }[];
      };
      const bad: string[] = [];
      for (const { modelName, state } of listed.models) {
        if (modelName === "iris" || !state.endsWith("READY") || state.endsWith("UNREADY")) continue;
        const answers = await Promise.all(
          [1, 2, 3].map((rows) => {
            const contents = { fp32Contents: Array.from({ length: rows * 3 }, () => 1) };
            const inputs = [{ name: "features", datatype: "FP32", shape: [rows, 3], contents }];
            return connectJson(server.url, PREDICT, { modelName, inputs });
          }),
        );
        if (!answers.some(({ status }) => status === 200)) bad.push(modelName);
      }
      return {
        faulty: bad.length > 0,
        came:
          bad.length > 0 ? `ready, yet no request is right: ${bad.join(", ")}` : "served or refused by name",
      };
    },
  },
  {
    name: "a Kubernetes Service named assay sets ASSAY_PORT",
    async run(bed) {
      const server = await bed
        .serve(["--port", "0"], {
          env: { ASSAY_PORT: "tcp://10.96.12.7:8080", ASSAY_SERVICE_HOST: "10.96.12.7" },
        })
        .catch(() => undefined);
      const plain = bed.start(["serve", "--models", bed.models], {
        env: { ASSAY_PORT: "tcp://10.96.12.7:8080" },
      });
      for (let i = 0; i < 40 && plain.alive && !/ on http/.test(plain.stdout()); i++) await delay(200);
      const helped = / on http/.test(plain.stdout()) || /Service|service/.test(plain.stderr());
      return {
        faulty: server === undefined || !helped,
        came: plain.stdout().split("\n")[0] || plain.stderr().slice(0, 130),
      };
    },
  },
  {
    name: "lost+found and __pycache__ among the models, --strict-readiness",
    async run(bed) {
      const models = bed.newFolder("repository");
      writeSmallModel(models, "iris", 4);
      for (const name of ["lost+found", "__pycache__", ".git"]) mkdirSync(join(models, name));
      const server = await bed.serve(["--strict-readiness"], { models });
      const { status } = await fetch(`${server.url}/readyz`);
      return { faulty: status !== 200, came: `/readyz ${status}` };
    },
  },
  {
    name: "a mistyped ASSAY_ variable is told at start",
    async run(bed) {
      const server = await bed
        .serve([], { env: { ASSAY_MAX_BATCH_SIZ: "8" } })
        .catch((error: Error) => error.message);
      if (typeof server === "string")
        return { faulty: !/ASSAY_MAX_BATCH_SIZ/.test(server), came: server.slice(0, 130) };
      await delay(200);
      const told = /ASSAY_MAX_BATCH_SIZ\b/.test(server.stderr() + server.stdout());
      return { faulty: !told, came: told ? "told" : "nothing is said" };
    },
  },
  {
    name: "a value of the file is not blamed on the flag",
    async run(bed) {
      writeFileSync(join(bed.folder, "c.json"), '{"max_batch_size":-3}');
      const command = bed.start([
        "serve",
        "--models",
        bed.models,
        "--port",
        "0",
        "--config",
        join(bed.folder, "c.json"),
      ]);
      await Promise.race([command.ended, delay(10_000)]);
      const text = command.stderr();
      return {
        faulty: !/c\.json/.test(text) || /^.*--max-batch-size:/m.test(text),
        came: text.slice(0, 130),
      };
    },
  },
  {
    name: "a run that fails is logged with its cause",
    async run(bed) {
      const models = bed.newFolder("repository");
      writeLookupModel(models);
      const server = await bed.serve([], { models });
      const inputs = [{ name: "ids", datatype: "INT64", shape: [1], contents: { int64Contents: [99] } }];
      const { status } = await connectJson(server.url, PREDICT, { modelName: "lookup", inputs });
      await delay(300);
      const told = /indices|out of|Gather/i.test(server.stderr());
      // The caller's own fault need not be logged; a failed run must be.
      return {
        faulty: status >= 500 && !told,
        came: `${status}, the log ${told ? "has" : "lacks"} the cause`,
      };
    },
  },
  {
    name: "SIGKILL of the launcher leaves no server on the port",
    async run(bed) {
      const server = await bed.serve();
      server.child.kill("SIGKILL");
      await delay(2000);
      const scores = await scoresIris(server.url, 1000);
      return { faulty: scores, came: scores ? "it answers on" : "the port is free" };
    },
  },
  scored(
    "UTF-16 with its mark",
    { "t.csv": Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(CSV, "utf16le")]) },
    ["--input", "t.csv", ...out],
    /setosa|,0,|versicolor/,
  ),
  scored(
    "a bad value names file, column and row",
    { "t.csv": "a,b,c,d\n5.1,3.5,1.4,0.2\n5.1,x,1.4,0.2\n" },
    ["--input", "t.csv", ...out],
    /t\.csv[\s\S]*"?x"?/,
  ),
  scored(
    "columns that are not found: the table's are named",
    { "t.csv": "age,weight\n1,2\n" },
    ["--input", "t.csv", ...out].filter((arg) => arg !== "--by-position"),
    /age[\s\S]*weight/,
  ),
  scored(
    "a broken NDJSON line under --on-error keep",
    { "t.ndjson": '{"a":5.1,"b":3.5,"c":1.4,"d":0.2}\n{"a":5.1,"b":3.\n{"a":6,"b":3,"c":4,"d":1}\n' },
    ["--input", "t.ndjson", "--on-error", "keep", ...out],
    /[13] rows? (failed|.*error)|score_error[\s\S]*\n[^\n]+\n[^\n]+\n[^\n]+/,
  ),
  scored(
    "Spark's hidden files under dir/*",
    { "dir/part-0.csv": CSV, "dir/.part-0.csv.crc": "crc", "dir/_SUCCESS": "" },
    ["--input", "dir/*", ...out],
    /\n5\.1|score[\s\S]*\n/,
  ),
  scored(
    "a column that nobody reads is missing in one file of a glob",
    { "g/1.csv": "a,b,c,d,note\n5.1,3.5,1.4,0.2,x\n", "g/2.csv": CSV },
    [
      ...["a", "b", "c", "d"].flatMap((name, i) => ["--map", `features[${i}]=${name}`]),
      "--input",
      "g/*.csv",
      "--keep",
      "a",
      ...out,
    ],
    /\n5\.1[^\n]*\n5\.1[^\n]*\n6/,
  ),
  scored(
    "a file packed with zstd",
    { "t.csv.zst": Buffer.from("28b52ffd", "hex") },
    ["--input", "t.csv.zst", "--input-format", "csv", ...out],
    /zst/i,
  ),
  scored("an s3 path", {}, ["--input", "s3://bucket/x.parquet", ...out], /s3|remote|download|sql:/i),
  scored(
    "a ZIP named .csv",
    { "t.csv": Buffer.concat([Buffer.from("PK\u0003\u0004"), Buffer.alloc(40)]) },
    ["--input", "t.csv", ...out],
    /zip/i,
  ),
];
