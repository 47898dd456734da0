import { isatty } from "node:tty";
import { goOnAfterBugs } from "../app/go-on-after-bugs.ts";
import { type App, startApp } from "../app/serve.ts";
import { configFile } from "../config/config-file.ts";
import { orderGpusByPci } from "../config/environment.ts";
import { FLAGS } from "../config/flag-table.ts";
import { readServerSettings } from "../config/server-settings.ts";
import { strayVariables } from "../config/stray-variables.ts";
import { packageVersion } from "../package-files.ts";
import { LineOutput } from "../telemetry/line-output.ts";
import { createLog, type Log } from "../telemetry/log.ts";
import { knownFlags, parseArguments, wrongArguments } from "./arguments.ts";
import { banner, logServedModels, servingLine } from "./banner.ts";
import { endBySignal, endProcess } from "./end-process.ts";
import { readModelArguments } from "./model-arguments.ts";
import { listenToSignals } from "./serve-signals.ts";

const LAST_LINES_MS = 250;
const LEFT_OVERS_MS = 500;

/** `assay serve [NAME=PATH …]`: serves until SIGTERM or Ctrl-C; returns the exit code. Throws CONFIG_INVALID before anything has started. */
export async function serve(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const known = knownFlags(FLAGS, ["config"]);
  const { flags, positionals, problems } = parseArguments(argv, known);
  const models = readModelArguments(positionals);
  const wrong = [...problems, ...models.problems];
  if (wrong.length > 0) throw wrongArguments(wrong, "serve");
  const settings = readServerSettings({ flags, environment, ...configFile(flags, environment) });
  const log = createLog(settings.logLevel);
  for (const { name, message } of strayVariables(environment)) log.warn({ variable: name }, message);
  const ended = Promise.withResolvers<number>();
  let app: App | undefined;
  let isStopping = false;
  const drain = (started: App) => {
    started.drain().then(
      () => ended.resolve(0),
      (error: unknown) => {
        log.error({ err: error }, "the drain failed");
        ended.resolve(1);
      },
    );
  };
  listenToSignals(log, {
    onStop() {
      isStopping = true;
      // Before the port is open, nobody waits for anything.
      if (app === undefined) endBySignal(0);
      else drain(app);
    },
    onStopNow: () => endBySignal(130),
    // Before the port is open, the models are yet to be looked at.
    onRescan: () => void app?.rescan(),
  });
  surviveBugs(log);
  orderGpusByPci();
  const onListening = (listening: App) => {
    app = listening;
    log.info(app.address, settings.listenWhenReady ? "listening" : "listening; models are being loaded");
  };
  const starting = startApp({ settings, environment, log, onListening, namedModels: models.named });
  // A start that fails is thrown here; after a drain nobody asks any more.
  const isUp = await Promise.race([starting.then(() => true), ended.promise.then(() => false)]);
  if (isUp && !isStopping) {
    const address = { ...app!.address, encrypted: settings.tlsCert !== "" };
    const models = app!.models();
    if (isatty(1)) say(banner(packageVersion(), address, models, settings.models));
    else {
      logServedModels(log, models);
      say(servingLine(packageVersion(), address, models));
    }
  }
  const code = await ended.promise;
  // What still holds the process, such as a model that is being loaded or a run that hangs, is not waited for.
  setTimeout(() => endProcess(code), LEFT_OVERS_MS).unref();
  return code;
}

/** What is said of the start must not end, hold or grow the server either; all of it is kept for a slow reader. */
function say(text: string): void {
  const output = new LineOutput(1, { limitBytes: Buffer.byteLength(text) });
  output.write(text);
  process.once("exit", () => output.flush(LAST_LINES_MS));
}

/** Keeps a server that meets a bug of ours where no call catches it. Writes to standard output and standard error that fail are no bug and are dropped. */
export function surviveBugs(log: Log): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  goOnAfterBugs(log);
  // A limit on the size of files is met as an error of the write, not as the end.
  process.on("SIGXFSZ", () => {});
}
