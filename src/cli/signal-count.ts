/** How long a signal may be on its way by several routes. */
const ONE_SIGNAL_MS = 1000;

/**
 * Counts what people and supervisors mean, not what arrives: a Ctrl-C under `npm start`, or a stop by systemd, reaches this
 * process from the group, from npm and from the launcher. All that comes within a second of a counted signal is that signal.
 */
export class SignalCount {
  #counted = 0;
  #open = false;

  /** 1 for the first signal, 2 for the second; 0 for another arrival of the last one. */
  take(): number {
    if (this.#open) return 0;
    this.#open = true;
    // Where the event loop stood still, what had arrived meanwhile is handed out between the timers and the immediates. The immediate
    // keeps its reference: an idle loop runs one without it only after what wakes it next, which may be the second signal.
    setTimeout(() => {
      setImmediate(() => {
        this.#open = false;
      });
    }, ONE_SIGNAL_MS).unref();
    this.#counted++;
    return this.#counted;
  }
}
