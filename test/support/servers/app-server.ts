import { type App, startApp } from "../../../src/app/serve.ts";
import { readServerSettings } from "../../../src/config/server-settings.ts";
import type { EdgeOptions } from "../../../src/edge/edge.ts";
import { type Log, silentLog } from "../../../src/telemetry/log.ts";

/** A whole server on a free port; whoever started it closes it. */
export interface AppServer {
  readonly app: App;
  readonly address: string;
  readonly url: string;
}

/** Starts a server over a model repository with flags as on the command line, without dashes. */
export async function startAppServer(
  models: string,
  flags: Record<string, string> = {},
  more: { workerUrl?: URL; routes?: EdgeOptions["routes"]; log?: Log } = {},
): Promise<AppServer> {
  const settings = readServerSettings({
    flags: new Map(Object.entries({ models, port: "0", devices: "cpu", ...flags })),
    environment: {},
  });
  const { routes, workerUrl } = more;
  const app = await startApp({
    settings,
    environment: {},
    log: more.log ?? silentLog,
    ...(routes === undefined ? {} : { routes }),
    ...(workerUrl === undefined ? {} : { workerUrl }),
  });
  const address = `127.0.0.1:${app.address.port}`;
  return { app, address, url: `http://${address}` };
}
