/** What an exporter says in the end. */
export interface ExportResult {
  readonly code: number;
  readonly error?: Error;
}

/**
 * Waits for one export, at most so long: an exporter that says nothing holds nobody. Rejects with why it failed. Never leaves a timer
 * that keeps the process.
 */
export function oneExport(
  start: (done: (result: ExportResult) => void) => void,
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs).unref();
    start(({ code, error }) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else reject(error ?? new Error("the exporter does not say why"));
    });
  });
}
