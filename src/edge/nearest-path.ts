/** The path that someone who wrote another one most likely meant. */
import { distanceWithin } from "../wording/edit-distance.ts";

/** A place for any text, and the verb that stands behind it. */
const PLACE = /^\{\w+\}(:\w+|)$/;
/** Longer paths, and paths of more segments, are no misspellings. */
const MOST_CHARACTERS = 200;
const MOST_SEGMENTS = 12;
/** A segment that was left out counts as so many mistakes. */
const LEFT_OUT = 2;
/** Of a whole path. */
const MOST_MISTAKES = 4;

interface Reading {
  readonly mistakes: number;
  readonly segments: readonly string[];
}

/**
 * The nearest of `patterns`, with what `path` has in the places that it leaves open; undefined where none is near. Each segment may have
 * mistakes in a third of its letters, and one may have been left out: `/v1/models/m:predct`, `/v2/m/infer`.
 */
export function nearestPath(path: string, patterns: Iterable<string>): string | undefined {
  const segments = path.replace(/\/+$/, "").split("/");
  if (path.length > MOST_CHARACTERS || segments.length > MOST_SEGMENTS) return undefined;
  let best: Reading | undefined;
  for (const pattern of patterns) {
    const read = reading(segments, pattern.split("/"));
    if (read === undefined || read.mistakes === 0 || read.mistakes > MOST_MISTAKES) continue;
    if (best === undefined || read.mistakes < best.mistakes) best = read;
  }
  return best?.segments.join("/");
}

/** A path as one that a pattern means; undefined where it cannot be. */
function reading(segments: readonly string[], pattern: readonly string[]): Reading | undefined {
  if (pattern.length === segments.length) return aligned(segments, pattern);
  if (pattern.length !== segments.length + 1) return undefined;
  let best: Reading | undefined;
  for (let at = 1; at < pattern.length; at++) {
    const literal = pattern[at]!;
    // What is left has to say by itself which path is meant.
    const isTold = pattern.some((one, index) => index > 0 && index !== at && PLACE.exec(one)?.[1] !== "");
    if (PLACE.test(literal) || !isTold) continue;
    const read = aligned([...segments.slice(0, at), literal, ...segments.slice(at)], pattern);
    if (read !== undefined && (best === undefined || read.mistakes < best.mistakes)) best = read;
  }
  return best && { ...best, mistakes: best.mistakes + LEFT_OUT };
}

function aligned(segments: readonly string[], pattern: readonly string[]): Reading | undefined {
  const meant: string[] = [];
  let mistakes = 0;
  for (let i = 0; i < pattern.length; i++) {
    const read = segmentReading(segments[i]!, pattern[i]!);
    if (read === undefined) return undefined;
    mistakes += read.mistakes;
    meant.push(read.segments[0]!);
  }
  return { mistakes, segments: meant };
}

function segmentReading(segment: string, pattern: string): Reading | undefined {
  const place = PLACE.exec(pattern);
  if (place === null) return wordReading(segment, pattern);
  if (segment === "") return undefined;
  const verb = place[1];
  if (verb === "" || verb === undefined) return { mistakes: 0, segments: [segment] };
  const colon = segment.lastIndexOf(":");
  if (colon === -1) return { mistakes: LEFT_OUT, segments: [`${segment}${verb}`] };
  const read = wordReading(segment.slice(colon), verb);
  return read && { ...read, segments: [`${segment.slice(0, colon)}${verb}`] };
}

function wordReading(word: string, meant: string): Reading | undefined {
  if (word === meant) return { mistakes: 0, segments: [meant] };
  // The root is nobody's misspelling.
  if (meant === "") return undefined;
  const most = Math.max(1, Math.floor(meant.length / 3));
  const mistakes = Math.max(1, distanceWithin(word.toLowerCase(), meant.toLowerCase(), most));
  return mistakes > most ? undefined : { mistakes, segments: [meant] };
}
