import { BENCH_FLAGS, CONSUME_FLAGS, FLAGS, type FlagRow, SCORE_FLAGS } from "../config/flag-table.ts";

/** `assay --help`. */
export function generalHelp(): string {
  return `Assay scores rows with ONNX models: gRPC, gRPC-Web, Connect, JSON and plain HTTP on one port.

  assay serve --models DIR     serve every DIR/<name>/<version>/model.onnx
  assay serve NAME=PATH …      serve single files or folders under names you choose
  assay score …                score a file or a table: Parquet, CSV, NDJSON, Arrow, SQL
  assay consume …              score the rows of a Kafka topic into another topic
  assay bench …                load-test a server and report rate, latency and errors
  assay try [MODEL]            score a model's example row on a running server
  assay inspect PATH           show what a model file, a model or a repository contains, and what Assay would do with it
  assay openapi                write the OpenAPI document of a repository, without a server
  assay features load TABLE    write a table to Redis or Valkey, for models that look columns up
  assay proto MODEL            print a .proto with the model's columns; assay proto --out DIR writes Assay's own schema
  assay --version              print the version

assay COMMAND --help (or -h) describes a command. To export a model: docs/exporting.md.
`;
}

/** `assay inspect --help`. */
export function inspectHelp(): string {
  return `Shows what a model file, a version folder, a model folder or a repository contains, and what Assay would do with it: the
signature, labels, opset, where the score comes from, how rows are batched, and each repair. It runs the model once, with
its golden rows or made-up rows, as a server does at start.

  assay inspect PATH [--json]

  --json     one JSON object per version, for programs

Exit code 0: everything can be served. 1: something cannot, with the reason. 2: wrong arguments.
`;
}

/** `assay openapi --help`. */
export function openapiHelp(): string {
  return `Writes the OpenAPI 3.1 document that a server with the same models has at /openapi.json. It needs no server.
It runs each model once, as a server does at start.

  assay openapi [--models DIR] [--model NAME] [NAME=PATH …]

      --models DIR          model repository: DIR/<name>/<version>/model.onnx (default: models)
  -m, --model NAME          one model only: what /v2/models/NAME/docs describes
      --server-name NAME    as for assay serve (default: assay)
      --model-control MODE  as for assay serve; explicit adds the calls that load models (default: none)
      --config FILE         settings file of assay serve
      --keys, --jwks, --jwt-issuer, --jwt-audience, --tls-cert, --tls-key, --tls-client-ca, --metrics-without-key
                            as for assay serve; the document says which credentials callers need, and no file is read

Exit code 0: every model is described. 1: a model cannot be served, with the reason. 2: wrong arguments.
`;
}

/** `assay try --help`. */
export function tryHelp(): string {
  return `Scores the example row of a model on a running server, and shows the call and its answer.

  assay try [MODEL[:VERSION]] [--server URL] [--key-file FILE] [--json]

Without MODEL it uses the server's default model or its only one. If the server has several, it lists them.

  -s, --server URL     server to call, http://host:port or https://… (default: http://127.0.0.1:8080)
      --key-file FILE  file with the key or token for the server (default: the variable ASSAY_KEY, if set)
      --json           print the answer as one JSON object, for programs

Exit code 0: the row was scored. 1: it was not, with the reason. 2: wrong arguments.
`;
}

/** `assay proto --help`. */
export function protoHelp(): string {
  return `Prints a .proto whose request has a model's columns as typed, commented fields, numbered in column order. With --out, writes
the schema of Assay's own services, for code generators in any language.

  assay proto MODEL[:VERSION] [--models DIR]
  assay proto PATH
  assay proto --out DIR

  -m, --models DIR   repository that contains MODEL (default: models)
  -o, --out DIR      folder to write assay/v1 and the files it imports to

Exit code 0: it is written. 1: the model cannot be read, with the reason. 2: wrong arguments.
`;
}

/** `assay features --help`. */
export function featuresHelp(): string {
  return `Writes the rows of a table to Redis or Valkey, one hash per key, for models that look columns up.

  assay features load TABLE --key NAME --to URL [flags]

TABLE is anything that assay score reads: a Parquet, CSV, NDJSON or Arrow file, a glob, sql: and a query, or -.

      --key NAME[,NAME]      columns that make up a row's key
      --to URL               redis://HOST:PORT/DATABASE, or rediss:// for TLS; \${NAME} is replaced by an environment variable
      --tls-ca-file FILE     with rediss://, PEM certificates to trust instead of the system's
      --name NAME            prefix of the hashes, NAME:KEY (default: the file name without its extension)
      --hash TEMPLATE        full name of the hashes instead: customers:{customer_id}
      --columns NAME[,NAME]  columns to write (default: all but the keys)
      --time NAME            field to write the load time to, for a source's time_column
      --expire SECONDS       time after which the store deletes a hash that was not written again (default: 0, never)

Try it:
  assay features load customers.parquet --key customer_id --to 'redis://:\${REDIS_PASSWORD}@localhost:6379/0'
Exit code 0: every row is written. 1: not every row, with the reason; what is written stays. 2: wrong arguments.
docs/features.md describes how values are written.
`;
}

/** `assay serve --help`: every flag with its environment variable and default. */
export function serveHelp(): string {
  return `Serves every DIR/<name>/<version>/model.onnx, and models named one by one, on one port.

  assay serve --models DIR [flags]
  assay serve NAME=PATH [NAME=PATH …] [flags]

PATH is a model file, a folder with model.onnx, or a folder with version folders. With NAME=PATH, a repository is served only if
--models names it.

Flags. Each is also an environment variable, ASSAY_ and its name in capitals (ASSAY_MAX_BATCH_SIZE), and a field of the
JSON file that --config names (max_batch_size). A flag overrides the environment, and the environment overrides the file.

${flagLines([CONFIG, ...FLAGS])}

Try it:
  assay serve --models models --port 8080
  assay serve churn=churn.onnx
  curl -s localhost:8080/readyz
On SIGTERM or Ctrl-C the server answers the calls in flight and exits. Ctrl-C again, after a second, ends it at once.
SIGHUP, --watch and --model-control explicit update models while the server runs: docs/updating.md.
`;
}

/** `assay score --help`: every flag with its default. */
export function scoreHelp(): string {
  return `Scores the rows of files or of a query with one model, in this process or on a server.

  assay score --model NAME --input WHAT --output FILE [flags] [more files]

Flags. Each is also an environment variable, ASSAY_ and its name in capitals:

${flagLines(SCORE_FLAGS)}

Try it:
  assay score --model iris --input flowers.csv --dry-run
  assay score --model iris --input 'data/*.parquet' --output scores.parquet --keep id
  assay score --model iris --input "sql:SELECT * FROM 'data/*.parquet' WHERE day = '2026-11-22' ORDER BY id" --output scores.csv
  cat rows.ndjson | assay score --model iris --input - --input-format ndjson --output - --output-format ndjson
To resume an interrupted run, give the same command again. Details: docs/scoring-files.md.
Exit code 0: every row is scored. 1: the run stopped early. 2: wrong arguments. 3: complete, but rows failed. 130: interrupted.
`;
}

/** `assay consume --help`: every flag with its default. */
export function consumeHelp(): string {
  return `Scores the rows of a Kafka or Redpanda topic and writes the scores to another topic, in this process or on a server.

  assay consume --brokers LIST --input-topic TOPIC --output-topic TOPIC --group NAME --model NAME [flags]

Flags. Each is also an environment variable, ASSAY_ and its name in capitals:

${flagLines(CONSUME_FLAGS)}

Try it:
  assay consume -b localhost:9092 -i rows -o scores -g scorers -m census
  assay consume -b localhost:9092 -i rows -o scores -g scorers -m census --server http://localhost:8080 --metrics-port 9100
The topics must exist. To use more cores, start more processes with the same --group; they share the partitions. Details: docs/kafka.md.
On SIGTERM or Ctrl-C it writes and commits what is scored and leaves the group. A second one ends it at once.
Exit code 0: ended by a signal, all committed. 1: it cannot go on, with the reason. 2: wrong arguments. 130: ended by a second signal.
`;
}

/** `assay bench --help`: every flag with its default. */
export function benchHelp(): string {
  return `Load-tests a server with calls of one kind and reports rate, latency and errors by reason.

  assay bench [--server URL] [--protocol NAME] [flags]

Flags. Each is also an environment variable, ASSAY_ and its name in capitals:

${flagLines(BENCH_FLAGS)}

Try it while assay serve runs:
  assay bench --model iris --concurrency 32 --duration 5
  assay bench --model iris --protocol predict --rate 500
  assay bench --model iris --protocol grpc-stream --rows 256 --concurrency 8
  assay bench --request request.json --rate 2000 --json > report.json
It calls only servers on this machine, unless you give --allow-remote. Ctrl-C ends the run and prints what was measured so far.
Exit code 0: measured. 1: more calls failed than --max-error-rate allows, or none could be made. 2: wrong arguments.
docs/benchmarking.md explains the report.
`;
}

type Line = Pick<FlagRow, "name" | "short" | "placeholder" | "help" | "default" | "group">;

const CONFIG: Line = {
  name: "config",
  short: "",
  placeholder: "FILE",
  help: "JSON file with settings",
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
