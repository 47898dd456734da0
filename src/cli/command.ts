import { readEnvironment } from "../config/environment.ts";
import { AssayError } from "../errors.ts";
import { packageVersion } from "../package-files.ts";
import { didYouMean } from "../wording/nearest-name.ts";
import {
  benchHelp,
  consumeHelp,
  featuresHelp,
  generalHelp,
  inspectHelp,
  openapiHelp,
  protoHelp,
  scoreHelp,
  serveHelp,
  tryHelp,
} from "./help.ts";

const COMMANDS = ["serve", "score", "consume", "bench", "try", "inspect", "openapi", "proto", "features"];

/**
 * Runs `assay …` and returns the exit code: 0, 1 where the command failed, 2 where it was called wrongly or its
 * configuration is not valid. `serve` returns when the server has ended.
 */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const [first = "--help", ...others] = argv;
  // `assay help serve` is `assay serve --help`.
  const isHelpOf = first === "help" && COMMANDS.includes(others[0] ?? "");
  const [command, rest] = isHelpOf ? [others[0]!, ["--help"]] : [first, others];
  // Where even messages cannot be written, the exit code still tells.
  listenOnce(process.stderr, ignoreLostOutput);
  const isHelp = rest.includes("--help") || rest.includes("-h");
  const isOwnOutput = (command !== "score" && command !== "serve" && command !== "consume") || isHelp;
  if (isOwnOutput) listenOnce(process.stdout, onLostOutput);
  try {
    if (command === "--version" || command === "version") return say(packageVersion());
    if (command === "--help" || command === "-h" || command === "help") return say(generalHelp().trimEnd());
    // Each command loads what it needs: tables and their libraries would take a third of the time in which a server is up.
    if (command === "serve") {
      if (isHelp) return say(serveHelp().trimEnd());
      return await (await import("./serve.ts")).serve(rest, readEnvironment());
    }
    if (command === "score") {
      if (isHelp) return say(scoreHelp().trimEnd());
      return await (await import("./rows/score.ts")).score(rest, readEnvironment());
    }
    if (command === "consume") {
      if (isHelp) return say(consumeHelp().trimEnd());
      return await (await import("./rows/consume.ts")).consume(rest, readEnvironment());
    }
    if (command === "bench") {
      if (isHelp) return say(benchHelp().trimEnd());
      return await (await import("./bench.ts")).bench(rest, readEnvironment());
    }
    if (command === "try") {
      if (isHelp) return say(tryHelp().trimEnd());
      return await (await import("./try-model.ts")).tryModel(rest, readEnvironment(), process.stdout);
    }
    if (command === "inspect") {
      if (isHelp) return say(inspectHelp().trimEnd());
      const { inspect, runFirst } = await import("./inspect.ts");
      return await inspect(rest, process.stdout, runFirst);
    }
    if (command === "openapi") {
      if (isHelp) return say(openapiHelp().trimEnd());
      return await (await import("./openapi.ts")).openapi(rest, readEnvironment(), process);
    }
    if (command === "proto") {
      if (isHelp) return say(protoHelp().trimEnd());
      return await (await import("./schema/proto.ts")).proto(rest, process.stdout, process.stderr);
    }
    if (command === "features") {
      if (isHelp) return say(featuresHelp().trimEnd());
      return await (await import("./rows/features.ts")).features(rest, readEnvironment());
    }
    const hint = didYouMean(command, COMMANDS) || "; see assay --help";
    process.stderr.write(`assay has no command ${JSON.stringify(command)}${hint}\n`);
    return 2;
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

function ignoreLostOutput(): void {}

/** A process that runs several commands, as tests do, has one listener for them all. */
function listenOnce(stream: NodeJS.WriteStream, listener: (error: NodeJS.ErrnoException) => void): void {
  if (!stream.listeners("error").includes(listener)) stream.on("error", listener);
}

/** `| head` has read what it wanted; any other failed write is the command's own. */
function onLostOutput(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") return;
  process.stderr.write(`assay: standard output cannot be written: ${error.message}\n`);
  process.once("exit", () => {
    process.exitCode = 1;
  });
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
