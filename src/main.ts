import { hasLiveThreads } from "./app/live-threads.ts";
import { runCommand } from "./cli/command.ts";
import { endProcess } from "./cli/end-process.ts";
import { plainGlobals } from "./plain-globals.ts";

plainGlobals();

const exitCode = await runCommand(process.argv.slice(2));
if (hasLiveThreads()) endProcess(exitCode);
process.exitCode = exitCode;
