import { BENCH_FLAGS, CONSUME_FLAGS, FLAGS, type FlagRow, SCORE_FLAGS } from "../config/flag-table.ts";

/** `assay --help`. */
export function generalHelp(): string {
  return `Assay scores rows with ONNX models: gRPC, gRPC-Web, Connect, JSON and plain HTTP on one port.

  assay serve --models DIR     serve every DIR/<name>/<version>/model.onnx
  assay serve NAME=PATH …      serve single files or folders under names of your own
  assay score …                score a file or a table: Parquet, CSV, NDJSON, Arrow, SQL
  assay consume …              score the rows of a Kafka topic into another
  assay bench …                load a server with calls and report rate, latency and errors
  assay try [MODEL]            score a model's example row with a server that runs
  assay inspect PATH           what a model file, a model or a whole repository holds, and what Assay would do with it
  assay openapi                the OpenAPI document of the models in a repository, without a server
  assay features load TABLE    write a table to Redis or Valkey, for models that look columns up
  assay proto MODEL            a .proto with the model's columns; assay proto --out DIR: the schema of Assay's own services
  assay --version              the version

Each command explains itself: assay serve --help, or -h, and so for the others. How to get a model there: docs/exporting.md.
`;
}

/** `assay inspect --help`. */
export function inspectHelp(): string {
  return `Shows what a model file, a version folder, a model folder or a whole repository holds, and what Assay would do with it:
signature, labels, opset, where the score comes from, how rows are batched, and each repair. The model is run once with its
golden rows or made-up rows, as at the start of a server.

  assay inspect PATH [--json]

  --json     for programs: one object a version

Exit code 0: everything is served. 1: something is not, with the reason. 2: called wrongly.
`;
}

/** `assay openapi --help`. */
export function openapiHelp(): string {
  return `Writes the OpenAPI 3.1 document that a server over the same models answers at /openapi.json, without a server.
Each model is run once, as before it is served.

  assay openapi [--models DIR] [--model NAME] [NAME=PATH …]

      --models DIR          model repository: DIR/<name>/<version>/model.onnx (default: models)
  -m, --model NAME          one model, in a document of its own: what /v2/models/NAME/docs answers
      --server-name NAME    as assay serve has it (default: assay)
      --model-control MODE  as assay serve has it: explicit describes how models are loaded (default: none)
      --config FILE         settings of assay serve
      --keys, --jwks, --jwt-issuer, --jwt-audience, --tls-cert, --tls-key, --tls-client-ca, --metrics-without-key
                            as assay serve has them: the document says what callers bring; no file is read

Exit code 0: every model is described. 1: one cannot be served, with the reason. 2: called wrongly.
`;
}

/** `assay try --help`. */
export function tryHelp(): string {
  return `Scores the example row of a model with a server that runs, and shows the call and its answer.

  assay try [MODEL[:VERSION]] [--server URL] [--key-file FILE] [--json]

Without MODEL: the server's default model, or its only one; where it has several, they are listed.

  -s, --server URL     server to call, http://host:port or https://… (default: http://127.0.0.1:8080)
      --key-file FILE  file that holds the key or token to call with (default: the variable ASSAY_KEY, if set)
      --json           for programs: the answer as one JSON object

Exit code 0: the row is scored. 1: it is not, with the reason. 2: called wrongly.
`;
}

/** `assay proto --help`. */
export function protoHelp(): string {
  return `Prints a .proto whose request has the columns of a model as typed, commented fields, numbered by their places; or writes the
schema of Assay's own services, for the generators of any language.

  assay proto MODEL[:VERSION] [--models DIR]
  assay proto PATH
  assay proto --out DIR

  -m, --models DIR   the repository that MODEL lies in (default: models)
  -o, --out DIR      writes assay/v1 and the files that it imports

Exit code 0: it is written. 1: the model cannot be read, with the reason. 2: called wrongly.
`;
}

/** `assay features --help`. */
export function featuresHelp(): string {
  return `Writes the rows of a table to hashes of Redis or Valkey, one a key, where feature sources of models look them up.

  assay features load TABLE --key NAME --to URL [flags]

TABLE is what assay score reads: a Parquet, CSV, NDJSON or Arrow file, a glob, sql: and a query, or -.

      --key NAME[,NAME]      the columns that make a row's key
      --to URL               redis://HOST:PORT/DATABASE, rediss:// for TLS; \${NAME} in it is an environment variable
      --name NAME            what hashes are called before their keys, NAME:KEY (default: the file's name without its ending)
      --hash TEMPLATE        the whole of it: customers:{customer_id}
      --columns NAME[,NAME]  the columns to write (default: all but the keys)
      --time NAME            writes the time of the load too, in a field of this name: a source's time_column
      --expire SECONDS       the store forgets a hash that is not written again in this time (default: 0, never)

Try it:
  assay features load customers.parquet --key customer_id --to 'redis://:\${REDIS_PASSWORD}@localhost:6379/0'
Exit code 0: every row is written. 1: not all, with the reason; what is written stays. 2: called wrongly. docs/features.md says how values
are written.
`;
}

/** `assay serve --help`: every flag with its environment variable and default. */
export function serveHelp(): string {
  return `Serves every DIR/<name>/<version>/model.onnx on one port, and what is named one by one.

  assay serve --models DIR [flags]
  assay serve NAME=PATH [NAME=PATH …] [flags]

PATH is a model file, a folder with model.onnx, or a folder with version folders. With NAME=PATH a repository is served only where
--models names it.

Flags; each is also an environment variable, ASSAY_ and its name in capitals (ASSAY_MAX_BATCH_SIZE), and a field of the
JSON file that --config names (max_batch_size). A flag wins over the environment, the environment over the file.

${flagLines([CONFIG, ...FLAGS])}

Try it:
  assay serve --models models --port 8080
  assay serve churn=churn.onnx
  curl -s localhost:8080/readyz
SIGTERM or Ctrl-C drains: calls in flight are answered first. Ctrl-C again after a second ends at once.
SIGHUP, --watch and --model-control explicit update models while they serve: docs/updating.md.
`;
}

/** `assay score --help`: every flag with its default. */
export function scoreHelp(): string {
  return `Scores the rows of files or of a query with one model, in this process or with a server.

  assay score --model NAME --input WHAT --output FILE [flags] [more files]

Flags; each is also an environment variable, ASSAY_ and its name in capitals:

${flagLines(SCORE_FLAGS)}

Try it:
  assay score --model iris --input flowers.csv --dry-run
  assay score --model iris --input 'data/*.parquet' --output scores.parquet --keep id
  assay score --model iris --input "sql:SELECT * FROM 'data/*.parquet' WHERE day = '2026-11-22' ORDER BY id" --output scores.csv
  cat rows.ndjson | assay score --model iris --input - --input-format ndjson --output - --output-format ndjson
A run that was ended goes on where it stopped when the same command is given again. docs/scoring-files.md says all.
Exit code 0: every row is scored. 1: the run ended before its end. 2: called wrongly. 3: complete, and rows failed. 130: interrupted.
`;
}

/** `assay consume --help`: every flag with its default. */
export function consumeHelp(): string {
  return `Scores the rows of a topic of Kafka or Redpanda and writes their scores to another topic, in this process or with a server.

  assay consume --brokers LIST --input-topic TOPIC --output-topic TOPIC --group NAME --model NAME [flags]

Flags; each is also an environment variable, ASSAY_ and its name in capitals:

${flagLines(CONSUME_FLAGS)}

Try it:
  assay consume -b localhost:9092 -i rows -o scores -g scorers -m census
  assay consume -b localhost:9092 -i rows -o scores -g scorers -m census --server http://localhost:8080 --metrics-port 9100
The topics have to be there. Start it again, or more of it with the same --group, and the partitions are shared. docs/kafka.md says all.
SIGTERM or Ctrl-C writes what is scored, commits it and leaves the group; a second one ends at once.
Exit code 0: ended by a signal, all committed. 1: it cannot go on, with the reason. 2: called wrongly. 130: ended by a second signal.
`;
}

/** `assay bench --help`: every flag with its default. */
export function benchHelp(): string {
  return `Loads a server with calls of one kind and reports rate, latency and errors by reason.

  assay bench [--server URL] [--protocol NAME] [flags]

Flags; each is also an environment variable, ASSAY_ and its name in capitals:

${flagLines(BENCH_FLAGS)}

Try it, beside assay serve:
  assay bench --model iris --concurrency 32 --duration 5
  assay bench --model iris --protocol predict --rate 500
  assay bench --model iris --protocol grpc-stream --rows 256 --concurrency 8
  assay bench --request request.json --rate 2000 --json > report.json
Only servers on this machine are called, unless --allow-remote is given. Ctrl-C ends the run and prints what was measured so far.
Exit code 0: measured. 1: calls failed, more than --max-error-rate allows, or none could be made. 2: called wrongly. docs/benchmarking.md
says how to read the report.
`;
}

type Line = Pick<FlagRow, "name" | "short" | "placeholder" | "help" | "default" | "group">;

const CONFIG: Line = {
  name: "config",
  short: "",
  placeholder: "FILE",
  help: "settings as JSON",
  default: "",
  group: "Common",
};

/** The flags under their headings, in the order in which each heading comes first. */
function flagLines(rows: readonly Line[]): string {
  const groups = Map.groupBy(rows, ({ group }) => group);
  return [...groups].map(([group, members]) => `${group}:\n${members.map(lineOf).join("\n")}`).join("\n\n");
}

function lineOf({ name, short, placeholder, help, default: fallback }: Line): string {
  const flag = `${short === "" ? "" : `-${short}, `}--${name}${placeholder === "" ? "" : ` ${placeholder}`}`;
  return `${`  ${flag}`.padEnd(36)} ${help}${fallback === "" ? "" : ` (default: ${fallback})`}`;
}
