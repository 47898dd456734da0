#!/usr/bin/env node
// Starts Assay on Node 24 or newer. Any Node can parse this file: on an older one it goes on with a newer Node that
// npm installed beside the package, or says in one line what is missing.
"use strict";
var fs = require("node:fs");
var path = require("node:path");
var childProcess = require("node:child_process");

var WANTED_MAJOR = 24;
var root = path.join(__dirname, "..");

if (Number(process.versions.node.split(".")[0]) >= WANTED_MAJOR) start();
else goOnWithNewerNode();

function start() {
  var source = path.join(root, "src", "main.ts");
  var entry = fs.existsSync(source) ? source : path.join(root, "dist", "src", "main.js");
  import(require("node:url").pathToFileURL(entry).href).catch(function (error) {
    console.error(error);
    process.exitCode = 1;
  });
}

function goOnWithNewerNode() {
  var newer = findNode();
  if (newer === undefined) {
    console.error(
      "assay needs Node " + WANTED_MAJOR + " or newer and runs on " + process.version + ": install it, " +
        "or run `npm install node@24` beside assay (and allow its install script)",
    );
    process.exitCode = 1;
    return;
  }
  var child = childProcess.spawn(newer, [__filename].concat(process.argv.slice(2)), { stdio: "inherit" });
  ["SIGTERM", "SIGHUP", "SIGUSR2"].forEach(function (signal) {
    process.on(signal, function () {
      child.kill(signal);
    });
  });
  process.on("SIGINT", function () {
    // A terminal sends Ctrl-C to both processes; a second copy would mean "end at once".
    if (!process.stdin.isTTY) child.kill("SIGINT");
  });
  child.on("error", function (error) {
    console.error("assay could not start " + newer + ": " + error.message);
    process.exitCode = 1;
  });
  child.on("exit", function (code, signal) {
    if (signal !== null) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else process.exitCode = code;
  });
}

function findNode() {
  var platform = process.platform === "win32" ? "win" : process.platform;
  var names = ["node-" + platform + "-" + process.arch, "node-bin-" + process.platform + "-" + process.arch, "node"];
  var file = process.platform === "win32" ? "bin/node.exe" : "bin/node";
  for (var i = 0; i < names.length; i++) {
    try {
      var candidate = path.join(path.dirname(require.resolve(names[i] + "/package.json")), file);
      var version = childProcess.execFileSync(candidate, ["--version"], { encoding: "utf8" });
      if (Number(version.replace(/^v/, "").split(".")[0]) >= WANTED_MAJOR) return candidate;
    } catch (error) {
      // Not installed, or not for this machine: the next name may be.
    }
  }
  return undefined;
}
