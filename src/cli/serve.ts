import { readFileSync } from "node:fs";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { type App, startApp } from "../app.ts";
import { orderGpusByPci } from "../config/environment.ts";
import { FLAGS } from "../config/flag-table.ts";
import { readServerSettings } from "../config/server-settings.ts";
import { AssayError } from "../errors.ts";
import { createLog } from "../telemetry/log.ts";
import { parseArguments } from "./arguments.ts";
import { banner } from "./banner.ts";
import { packageVersion } from "./version.ts";
import { wrongArguments } from "./wrong-arguments.ts";

/** `assay serve`: serves until SIGTERM or Ctrl-C; returns the exit code. Throws CONFIG_INVALID before anything has started. */
export async function serve(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const kinds = new Map<string, "value" | "switch">([["config", "value"]]);
  for (const row of FLAGS) kinds.set(row.name, row.placeholder === "" ? "switch" : "value");
  const { flags, positionals, problems } = parseArguments(argv, kinds);
  const stray = positionals.map((positional) => `${positional} is not known; flags start with --`);
  if (problems.length + stray.length > 0) throw wrongArguments([...problems, ...stray], "serve");
  const configName = flags.get("config") ?? environment.ASSAY_CONFIG;
  const settings = readServerSettings({
    flags,
    environment,
    ...(configName === undefined ? {} : { configFile: { name: configName, text: readConfig(configName) } }),
  });
  const log = createLog(settings.logLevel);
  const ended = Promise.withResolvers<number>();
  let app: App | undefined;
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    signals++;
    if (signals > 1) {
      log.warn({ signal }, "ending at once");
      process.exit(130);
    }
    log.info({ signal }, "draining: calls in flight are answered, again to end at once");
    if (app === undefined) process.exit(0);
    app.drain().then(
      () => ended.resolve(0),
      (error: unknown) => {
        log.error({ err: error }, "the drain failed");
        ended.resolve(1);
      },
    );
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  orderGpusByPci();
  app = await startApp({ settings, environment, log });
  process.stdout.write(
    banner(packageVersion(), { ...app.address, encrypted: settings.tlsCert !== "" }, app.models()),
  );
  return ended.promise;
}

function readConfig(name: string): string {
  try {
    return readFileSync(name, "utf8");
  } catch (cause) {
    throw new AssayError(
      Reason.CONFIG_INVALID,
      `--config ${name} cannot be read: ${(cause as Error).message}`,
      { cause },
    );
  }
}
