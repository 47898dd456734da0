import { digestFile, identify, isSameIdentity, type SourceFile } from "../model/source-file.ts";

/** Looks at the files of loaded models from time to time; made by `createFileWatch`, ended by `close`. */
export interface FileWatch {
  /**
   * `onChange` is called with the names of the files that are other ones than those given, each time that these names change.
   * Returns what ends it.
   */
  add(files: readonly SourceFile[], onChange: (changed: readonly string[]) => void): () => void;
  close(): void;
}

interface Watched {
  readonly files: readonly WatchedFile[];
  readonly onChange: (changed: readonly string[]) => void;
}

interface WatchedFile {
  readonly loaded: SourceFile;
  /** As it was last looked at. */
  identity: SourceFile["identity"];
  isChanged: boolean;
}

const INTERVAL_MS = 2_000;

/** Starts to look, one file after another, each `intervalMs`. */
export function createFileWatch(intervalMs: number = INTERVAL_MS): FileWatch {
  const watched = new Set<Watched>();
  let isClosed = false;
  let timer = setTimeout(() => void look(), intervalMs).unref();

  async function look(): Promise<void> {
    for (const one of watched) {
      let hasNews = false;
      for (const file of one.files) {
        if (await isNews(file)) hasNews = true;
        if (isClosed) return;
      }
      if (hasNews && watched.has(one))
        one.onChange(one.files.filter((file) => file.isChanged).map(({ loaded }) => loaded.name));
    }
    timer = setTimeout(() => void look(), intervalMs).unref();
  }

  return {
    add(files, onChange) {
      const looked = files.map((loaded) => ({ loaded, identity: loaded.identity, isChanged: false }));
      const one = { files: looked, onChange };
      watched.add(one);
      return () => void watched.delete(one);
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** Looks at one file; true where it became another one than was loaded, or the same again. */
async function isNews(file: WatchedFile): Promise<boolean> {
  const identity = await identify(file.loaded.path);
  if (isSameIdentity(identity, file.identity)) return false;
  file.identity = identity;
  const wasChanged = file.isChanged;
  file.isChanged = await differs(file.loaded, identity);
  return file.isChanged !== wasChanged;
}

/** A file that was only touched, or copied over itself, is no other file. */
async function differs(loaded: SourceFile, identity: SourceFile["identity"]): Promise<boolean> {
  if (identity === undefined || loaded.identity === undefined) return identity !== loaded.identity;
  if (identity.byteLength !== loaded.identity.byteLength) return true;
  try {
    return (await digestFile(loaded.path)) !== loaded.sha256;
  } catch {
    return true;
  }
}
