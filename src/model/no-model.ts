/** The names in a folder, hidden entries left out. */
export interface FolderNames {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

/** Folders that systems and tools make by themselves; in lower case. */
const FOREIGN = new Map([
  ["lost+found", "a file system's"],
  ["__pycache__", "Python's"],
  ["__macosx", "macOS's"],
  ["node_modules", "npm's"],
  ["venv", "Python's"],
  ["@eadir", "a Synology disk station's"],
  ["#recycle", "a Synology disk station's"],
  ["@recycle", "a QNAP disk station's"],
  ["#snapshot", "a disk station's"],
  ["$recycle.bin", "Windows'"],
  ["system volume information", "Windows'"],
]);

/** Endings of files that stand around models and are never one, nor a mistake for one. */
const BESIDES_MODELS = /\.(py|pyc|pyo|ipynb|md|rst|sh|csv|tsv|parquet|arrow|png|jpe?g|svg|pdf|html?|log)$/i;

/**
 * Why a folder of the repository can be no model, or undefined where it may be one, be it with a mistake that its owner must hear
 * of. `read` lists it, and is asked only where the name does not tell.
 */
export async function noModelReason(
  name: string,
  read: () => Promise<FolderNames>,
): Promise<string | undefined> {
  const owner = FOREIGN.get(name.toLowerCase());
  if (owner !== undefined) return `it is ${owner} own folder`;
  // What cannot be read may be a model.
  const inside = await read().catch(() => undefined);
  if (inside === undefined) return undefined;
  const { files } = inside;
  const folders = inside.folders.filter((folder) => !FOREIGN.has(folder.toLowerCase()));
  if (folders.length > 0) return undefined;
  if (files.length === 0) return "it is empty";
  return files.every((file) => BESIDES_MODELS.test(file))
    ? `it holds no model, only ${listed(files)}`
    : undefined;
}

function listed(files: readonly string[]): string {
  return files.length <= 3
    ? files.join(", ")
    : `${files.slice(0, 3).join(", ")} and ${files.length - 3} more`;
}
