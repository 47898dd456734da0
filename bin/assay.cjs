#!/usr/bin/env node
// Starts Assay on Node 24 or newer. Any Node can parse this file: on an older one it goes on with a newer Node that
// npm installed beside the package, or says in one line what is missing.
"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const tty = require("node:tty");
const childProcess = require("node:child_process");

const WANTED_MAJOR = 24;
const FORWARDED = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"];
const root = path.join(__dirname, "..");

// A server that is stopped before anything has started has nothing to answer and ends with 0; once something else listens, that
// decides.
const isServe = process.argv[2] === "serve";
let stoppedBy;
["SIGTERM", "SIGINT"].forEach((signal) => {
  if (!isServe) return;
  process.on(signal, () => {
    stoppedBy = signal;
    if (process.listenerCount(signal) === 1) process.exit(0);
  });
});

if (Number(process.versions.node.split(".")[0]) >= WANTED_MAJOR) start();
else goOnWithNewerNode();

function start() {
  if (process.connected === true) {
    // Started by a launcher: when that is gone, even by SIGKILL, this one ends as by SIGTERM and holds no port.
    process.once("disconnect", () => {
      process.kill(process.pid, "SIGTERM");
    });
    process.channel.unref();
  }
  const source = path.join(root, "src", "main.ts");
  const entry = fs.existsSync(source) ? source : path.join(root, "dist", "main.js");
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
  const terminals = [0, 1, 2].filter((fd) => tty.isatty(fd));
  const hasHungUp = () => terminals.some((fd) => !tty.isatty(fd));
  // The channel carries no message: its end tells each of the two that the other has ended, however it ended.
  const child = childProcess.spawn(newer, [__filename].concat(process.argv.slice(2)), {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  // Whoever signals may mean this process alone (kill, an init, a container's runtime) or its group (a terminal, systemd):
  // what comes is handed on, and the server takes two that come at one time for one.
  FORWARDED.forEach((signal) => {
    process.on(signal, () => {
      child.kill(signal);
    });
  });
  child.on("error", (error) => {
    if (child.pid !== undefined) return;
    console.error(`assay could not start ${newer}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    if (signal === null && hasHungUp()) {
      // Node below 24 aborts at its end where its terminal has gone.
      process.removeAllListeners("SIGHUP");
      process.kill(process.pid, "SIGHUP");
    }
    if (signal === null) process.exit(code);
    // It had not come as far as to listen.
    if (signal === stoppedBy) process.exit(0);
    // The first process of a container is not ended by a signal to itself: the status is then what a shell would say.
    process.exitCode = 128 + os.constants.signals[signal];
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(), 100);
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
