import { readOnnxOutline } from "../onnx/onnx-outline.ts";

/** Words that are read out of one graph, at most. */
const MAX_WORDS = 64;

const utf8 = new TextDecoder();

/**
 * Lists of texts that a made-up row may hold, the likeliest to run first: the words that the graph itself compares with
 * (categories, vocabularies), those two at a time as sentences, letters (an empty list) and digits.
 */
export function probeTexts(modelBytes: Uint8Array): readonly (readonly string[])[] {
  const words = graphWords(modelBytes);
  const digits = ["0", "1", "2", "3", "4", "5", "6", "7"];
  if (words.length === 0) return [[], digits];
  const pairs = words.map((word, index) => `${word} ${words[(index * 7 + 3) % words.length]}`);
  return [words, pairs, [], digits];
}

function graphWords(modelBytes: Uint8Array): string[] {
  const words = new Set<string>();
  for (const node of readOnnxOutline(modelBytes).model.graph?.node ?? []) {
    // A ZipMap's and a classifier's texts are answers, not values of rows.
    if (node.opType.endsWith("Classifier") || node.opType === "ZipMap") continue;
    for (const { name, strings } of node.attribute) {
      if (name.startsWith("values_") || name.startsWith("default_")) continue;
      for (const value of strings) {
        const word = utf8.decode(value);
        if (word !== "" && word.length <= 100 && words.size < MAX_WORDS) words.add(word);
      }
    }
  }
  return [...words];
}
