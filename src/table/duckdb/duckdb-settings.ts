/**
 * The settings of every DuckDB here: one thread, so that rows keep their order; no extension is looked for, loaded or
 * downloaded; at most `memoryMegabytes`, and what does not fit goes to `spillFolder`, made when needed, or fails without one.
 */
export function duckdbSettings(
  memoryMegabytes: number,
  spillFolder: string | undefined,
): Record<string, string> {
  return {
    threads: "1",
    memory_limit: `${memoryMegabytes}MB`,
    preserve_insertion_order: "true",
    temp_directory: spillFolder ?? "",
    // What is read once would be copied, and fill the memory that is allowed.
    enable_external_file_cache: "false",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    allow_community_extensions: "false",
  };
}
