import { readFileSync } from "node:fs";

/** The variable that holds a key or a token for `--server`. */
export const KEY_VARIABLE = "ASSAY_KEY";

/** What a call's field can hold: a key of another form would be sent as something else. */
const KEY = /^[\x21-\x7e]{1,8192}$/;

/**
 * The key or token to call a server with: of the file, else of ASSAY_KEY; undefined where there is none. No flag holds it, since what is
 * typed stands in the list of processes. What is wrong is added to `problems`, without the key.
 */
export function readClientKey(
  file: string,
  origin: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): string | undefined {
  const given = file === "" ? environment[KEY_VARIABLE] : readFile(file, origin, problems);
  const key = given?.trim();
  if (key === undefined || key === "") return undefined;
  if (KEY.test(key)) return key;
  const where = file === "" ? KEY_VARIABLE : `${origin}: ${file}`;
  problems.push(`${where} holds no key: one line of letters, digits and signs without spaces is expected`);
  return undefined;
}

function readFile(file: string, origin: string | undefined, problems: string[]): string | undefined {
  try {
    const text = readFileSync(file, "utf8");
    if (text.trim() === "") problems.push(`${origin}: ${file} is empty; a key or token is expected`);
    return text;
  } catch (error) {
    problems.push(`${origin}: ${file} cannot be read: ${(error as Error).message}`);
    return undefined;
  }
}
