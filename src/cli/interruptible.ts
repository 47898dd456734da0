import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { strayVariables } from "../config/stray-variables.ts";
import { AssayError } from "../errors.ts";
import { endBySignal } from "./end-process.ts";
import { SignalCount } from "./signal-count.ts";

/** A command that runs to its end, fails or is interrupted. */
export interface InterruptibleCommand {
  /** `assay score`. */
  readonly name: string;
  /** Said where it ended because of a Ctrl-C. */
  readonly interrupted: string;
  /** Called at the first Ctrl-C, after `signal` has told of it. */
  readonly onInterrupt?: () => void;
  run(signal: AbortSignal): Promise<number>;
}

/**
 * Runs a command: a first SIGTERM or Ctrl-C aborts its signal, a second one ends the process at once with 130. Returns the exit
 * code: its own, 130 where it threw after the first one, 2 for CONFIG_INVALID and 1 for another AssayError, which are said.
 */
export async function runInterruptible(command: InterruptibleCommand): Promise<number> {
  const controller = new AbortController();
  const signals = new SignalCount();
  const onSignal = () => {
    const count = signals.take();
    if (count > 1) endBySignal(130);
    if (count !== 1) return;
    controller.abort();
    command.onInterrupt?.();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  try {
    return await command.run(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted && !(error instanceof AssayError)) throw error;
    say(command.name, controller.signal.aborted ? command.interrupted : (error as AssayError).message);
    if (controller.signal.aborted) return 130;
    return (error as AssayError).reason === Reason.CONFIG_INVALID ? 2 : 1;
  } finally {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
}

/** Writes a line of a command's to standard error. */
export function say(commandName: string, text: string): void {
  process.stderr.write(`${commandName}: ${text}\n`);
}

/** Says which variables of the environment are no settings but look like one. */
export function sayStrayVariables(
  commandName: string,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  for (const { nearest, message } of strayVariables(environment)) {
    if (nearest !== undefined) say(commandName, message);
  }
}
