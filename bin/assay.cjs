#!/usr/bin/env node
// Starts Assay on Node 24 or newer. Any Node can parse this file: on an older one it goes on with a newer Node that
// npm installed beside the package, or says in one line what is missing.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const childProcess = require("node:child_process");

const WANTED_MAJOR = 24;
const root = path.join(__dirname, "..");

if (Number(process.versions.node.split(".")[0]) >= WANTED_MAJOR) start();
else goOnWithNewerNode();

function start() {
  const source = path.join(root, "src", "main.ts");
  const entry = fs.existsSync(source) ? source : path.join(root, "dist", "src", "main.js");
  import(require("node:url").pathToFileURL(entry).href).catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}

function goOnWithNewerNode() {
  const newer = findNode();
  if (newer === undefined) {
    console.error(
      "assay needs Node " +
        WANTED_MAJOR +
        " or newer and runs on " +
        process.version +
        ": install it, " +
        "or run `npm install node@24` beside assay (and allow its install script)",
    );
    process.exitCode = 1;
    return;
  }
  const child = childProcess.spawn(newer, [__filename].concat(process.argv.slice(2)), { stdio: "inherit" });
  ["SIGTERM", "SIGHUP", "SIGUSR2"].forEach((signal) => {
    process.on(signal, () => {
      child.kill(signal);
    });
  });
  process.on("SIGINT", () => {
    // A terminal sends Ctrl-C to both processes; a second copy would mean "end at once".
    if (!process.stdin.isTTY) child.kill("SIGINT");
  });
  child.on("error", (error) => {
    console.error(`assay could not start ${newer}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    if (signal !== null) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else process.exitCode = code;
  });
}

function findNode() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const names = [`node-${platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`, "node"];
  const file = process.platform === "win32" ? "bin/node.exe" : "bin/node";
  for (let i = 0; i < names.length; i++) {
    try {
      const candidate = path.join(path.dirname(require.resolve(`${names[i]}/package.json`)), file);
      const version = childProcess.execFileSync(candidate, ["--version"], { encoding: "utf8" });
      if (Number(version.replace(/^v/, "").split(".")[0]) >= WANTED_MAJOR) return candidate;
    } catch {
      // Not installed, or not for this machine: the next name may be.
    }
  }
  return undefined;
}
