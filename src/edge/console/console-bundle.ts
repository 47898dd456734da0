/**
 * The files of the page at `/`. In the compiled package they lie beside the other pages; in the sources a process of its own makes them
 * when the page is first asked for, so that a server that nobody opens in a browser neither loads nor holds what that takes.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { promisify } from "node:util";
import { consoleBundler, pageFileUrl } from "../../package-files.ts";

const run = promisify(execFile);
const MAX_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

let bundle: Promise<Readonly<Record<string, string>>> | undefined;

/** Reads one of the page's files. Rejects where it cannot be made, and tries again at the next call. */
export async function consoleFile(name: string): Promise<Uint8Array> {
  const bundler = consoleBundler();
  if (bundler === undefined) return readFile(pageFileUrl(name, "own"));
  bundle ??= bundled(bundler);
  try {
    return Buffer.from((await bundle)[name] ?? "");
  } catch (error) {
    bundle = undefined;
    throw error;
  }
}

async function bundled(bundler: string): Promise<Readonly<Record<string, string>>> {
  const options = { maxBuffer: MAX_BYTES, timeout: TIMEOUT_MS };
  const { stdout } = await run(process.execPath, [bundler], options);
  return JSON.parse(stdout) as Readonly<Record<string, string>>;
}
