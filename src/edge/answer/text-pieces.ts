import { rawTexts } from "../../tensor/tensor-contents.ts";

/** Texts, and characters of long ones, that are written at once. */
const PIECE_TEXTS = 4096;
const PIECE_CHARACTERS = 65_536;

/** The end of the piece of texts that begins with `first`, one at least. */
export function pieceEnd(texts: readonly string[], first: number): number {
  const most = Math.min(texts.length, first + PIECE_TEXTS);
  let end = first;
  for (let characters = 0; end < most && characters < PIECE_CHARACTERS; end++) {
    characters += texts[end]!.length;
  }
  return end;
}

/** The raw octets of texts, piece by piece. */
export function* rawPieces(texts: readonly string[]): Generator<Uint8Array> {
  for (let first = 0; first < texts.length; ) {
    const end = pieceEnd(texts, first);
    // The rest of the room that the texts might have taken would be kept with them.
    yield rawTexts(texts, first, end).slice();
    first = end;
  }
}

/**
 * Octets cut anew into pieces whose length is a multiple of three, but for the last: the base64 of such pieces is that of the whole.
 */
export function* inThrees(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let left: Uint8Array = new Uint8Array(0);
  for (const piece of pieces) {
    const whole = left.length === 0 ? piece : Buffer.concat([left, piece]);
    const end = whole.length - (whole.length % 3);
    left = whole.subarray(end);
    yield whole.subarray(0, end);
  }
  yield left;
}
