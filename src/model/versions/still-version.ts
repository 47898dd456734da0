import { setTimeout as delay } from "node:timers/promises";
import type { FoundModel } from "../prepared-model.ts";
import { refusal } from "../refusal.ts";
import { identify, isSameIdentity } from "../source-file.ts";
import { readSourceFiles, withFiles } from "../source-files.ts";
import {
  readVersion as readFiles,
  unreadReason,
  type VersionPlace,
  versionSources,
} from "../version-files.ts";

/** Times that a folder is read while somebody writes to it. */
const READ_ATTEMPTS = 3;
const READ_AGAIN_MS = 200;

/** Reads one version, as one state although somebody may write to its files; never throws for what is wrong with them. */
export async function readVersion(place: VersionPlace): Promise<FoundModel> {
  try {
    for (let attempt = 1; ; attempt++) {
      const places = await versionSources(place);
      const before = await Promise.all(places.map(({ path }) => identify(path)));
      const found = await readFiles(place);
      const files = found.kind === "prepared" ? await readSourceFiles(found.model, places) : [];
      // A copy that was still going on leaves parts of two files, or one that cannot be read yet.
      const after = await Promise.all(places.map(({ path }) => identify(path)));
      const isStill = before.every((identity, at) => isSameIdentity(identity, after[at]));
      if (isStill)
        return found.kind === "refused" ? found : { kind: "prepared", model: withFiles(found.model, files) };
      if (attempt === READ_ATTEMPTS) {
        throw refusal(
          "files of the version folder were written to while they were read: load them again once they are whole (SIGHUP does so in a running server), and put new files in place by renaming a finished copy",
        );
      }
      await delay(READ_AGAIN_MS);
    }
  } catch (cause) {
    const { modelName, modelVersion } = place;
    return { kind: "refused", modelName, modelVersion, reason: unreadReason(cause), cause };
  }
}
