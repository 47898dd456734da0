/** The only place that reads the process's environment: a snapshot, taken when called. */
export function readEnvironment(): Readonly<Record<string, string | undefined>> {
  return { ...process.env };
}
