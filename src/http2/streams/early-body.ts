/**
 * What came of a body before its handler listened, put together: kept frame by frame, frames of one octet would take a hundred
 * times their size.
 */
export class EarlyBody {
  /** The last octet has come. */
  end = false;
  private kept = Buffer.alloc(0);
  private length = 0;

  /** All that came, in one piece. */
  get bytes(): Uint8Array {
    return this.kept.subarray(0, this.length);
  }

  /** Copies a piece. */
  add(piece: Uint8Array, end: boolean): void {
    const length = this.length + piece.length;
    if (length > this.kept.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.kept.length));
      grown.set(this.bytes);
      this.kept = grown;
    }
    this.kept.set(piece, this.length);
    this.length = length;
    this.end ||= end;
  }
}
