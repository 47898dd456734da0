import { readFile, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { type ConfigPath, createConfigMistakes } from "../config/config-mistakes.ts";
import { quoted } from "../refusal.ts";
import { TRITON_CONFIG, type TritonConfig } from "./triton-config.ts";

/** What config.pbtxt says of a model, with the files that it names. */
export interface TritonFiles {
  readonly config: TritonConfig;
  /** Class labels by output, in their order. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
  /** Octets for first runs, by the name of their file in the folder `warmup`. */
  readonly warmupData: ReadonlyMap<string, Uint8Array>;
}

/** A file that config.pbtxt names, and where it names it. */
interface NamedFile {
  readonly fileName: string;
  readonly path: ConfigPath;
}

const MAX_FILE_BYTES = 64 * 2 ** 20;

/** Reads the files that a configuration names, out of the model's folder; throws MODEL_INVALID with all that cannot be read. */
export async function readTritonFiles(config: TritonConfig, modelFolder: string): Promise<TritonFiles> {
  const mistakes = createConfigMistakes(config.lineOf, TRITON_CONFIG);
  const labels = new Map<string, readonly string[]>();
  const warmupData = new Map<string, Uint8Array>();
  const read = async (folder: string, { fileName, path }: NamedFile) => {
    const found = await readInside(folder, fileName);
    if (typeof found === "string") mistakes.add(path, found);
    return typeof found === "string" ? new Uint8Array() : found;
  };
  for (const [index, { name, labelFilename }] of config.message.output.entries()) {
    if (labelFilename === "") continue;
    const file = { fileName: labelFilename, path: ["output", index, "label_filename"] };
    labels.set(name, lines(await read(modelFolder, file)));
  }
  for (const file of warmupFiles(config))
    warmupData.set(file.fileName, await read(join(modelFolder, "warmup"), file));
  mistakes.throwIfAny();
  return { config, labels, warmupData };
}

/** Paths of the files that a configuration names, inside the model's folder. */
export function tritonFileNames(config: TritonConfig): string[] {
  const labels = config.message.output
    .map(({ labelFilename }) => labelFilename)
    .filter((name) => name !== "");
  return [...labels, ...warmupFiles(config).map(({ fileName }) => `warmup/${fileName}`)];
}

function warmupFiles({ message }: TritonConfig): NamedFile[] {
  return message.modelWarmup.flatMap(({ inputs }, index) =>
    Object.values(inputs).flatMap(({ inputDataType }) =>
      inputDataType.case === "inputDataFile"
        ? [{ fileName: inputDataType.value, path: ["model_warmup", index, "inputs"] }]
        : [],
    ),
  );
}

/** The octets of a file, or why there are none. Links are followed before the place is judged. */
async function readInside(folder: string, fileName: string): Promise<Uint8Array | string> {
  try {
    const root = await realpath(folder);
    const path = await realpath(join(folder, fileName));
    if (!path.startsWith(root + sep))
      return `${quoted(fileName)} leads out of the model's folder: put the file there`;
    const info = await stat(path);
    if (!info.isFile() || info.size > MAX_FILE_BYTES)
      return `${quoted(fileName)} is no regular file of at most ${MAX_FILE_BYTES} bytes`;
    return await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT")
      return `there is no file ${quoted(fileName)} in ${quoted(folder)}: put it there, or take the line out`;
    return `${quoted(fileName)} cannot be read (${code})`;
  }
}

/** One label a line, as text editors of any system write them. */
function lines(octets: Uint8Array): string[] {
  const text = new TextDecoder().decode(octets);
  const all = text.split(/\r?\n/);
  return all.at(-1) === "" ? all.slice(0, -1) : all;
}
