/**
 * One receive window (RFC 9113 section 5.2) that grows with its reader's appetite. Pure bookkeeping.
 * Always: available + held + unreturned = size; so `size` bounds what the owner ever holds.
 */
export class ReceiveWindow {
  /** Octets the peer may send now. */
  available: number;
  /** Octets received and not yet consumed. */
  held = 0;
  size: number;
  readonly firstSize: number;
  private unreturned = 0;
  private readonly maxSize: number;

  constructor(size: number, maxSize: number) {
    this.available = size;
    this.size = size;
    this.firstSize = size;
    this.maxSize = maxSize;
  }

  /** Takes in `byteCount`; false when the peer had no right to send so much. */
  receive(byteCount: number): boolean {
    if (byteCount > this.available) return false;
    this.available -= byteCount;
    this.held += byteCount;
    return true;
  }

  /**
   * Marks octets as consumed, no more than are held; gives the increment that a WINDOW_UPDATE should carry now, or 0.
   * Half a window is returned at a time. Where by then less than a quarter is still held, the reader keeps pace and the
   * window was what slowed the peer: it doubles, up to its maximum and by no more than `growthBytes`.
   */
  consume(byteCount: number, growthBytes = Number.POSITIVE_INFINITY): number {
    const taken = Math.min(byteCount, this.held);
    this.held -= taken;
    this.unreturned += taken;
    if (this.unreturned * 2 < this.size) return 0;
    const grown = Math.min(this.size * 2, this.maxSize, this.size + growthBytes);
    return this.update(this.held * 4 <= this.size ? Math.max(grown, this.size) : this.size);
  }

  /** Opens the window to `size` at once; gives the increment for the WINDOW_UPDATE. */
  update(size: number): number {
    const increment = this.unreturned + size - this.size;
    this.unreturned = 0;
    this.size = size;
    this.available += increment;
    return increment;
  }
}
