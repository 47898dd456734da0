import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process, told from any other that had or will have its number. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** When it started, in the system's own terms; empty where the system does not say. */
  readonly startedAt: string;
}

/** This process. */
export function thisProcess(): ProcessIdentity {
  return { host: hostname(), pid: process.pid, startedAt: startOf(process.pid) ?? "" };
}

/** Whether a process of this machine still runs. */
export function isRunning({ pid, startedAt }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const start = startOf(pid);
  return start === undefined || startedAt === "" || start === startedAt;
}

/** Linux: which numbers of processes this one sees, since containers of one host name have each their own. Elsewhere empty. */
export function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

/** Linux: the boot's id and the ticks from then on, field 22 of /proc/PID/stat (proc(5)). Elsewhere undefined. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the command in brackets, which may hold spaces and brackets itself.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${ticks}`;
  } catch {
    return undefined;
  }
}
