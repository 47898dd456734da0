import type { AssayError } from "../errors.ts";
import type { Batch, BatchMemory } from "../pool/pool.ts";
import type { NumericArray } from "../tensor/datatype.ts";
import { elementCount, type TensorData } from "../tensor/tensor-data.ts";
import type { RowWriter } from "./batcher.ts";
import type { Part } from "./ticket.ts";

/** What the batcher does when a batch has run. */
export interface BatchEvents {
  onOutputs(outputs: readonly TensorData[]): void;
  onError(error: AssayError): void;
}

/** Makes the pool's batch from parts of entries with equal shape keys, at least one. */
export function createBatch(
  parts: readonly Part[],
  rowCount: number,
  hasRows: boolean,
  events: BatchEvents,
): Batch {
  const { inputs } = parts[0]!.ticket.entry;
  return {
    inputs: inputs.map(({ name, datatype, tailShape }) => ({
      name,
      datatype,
      shape: hasRows ? [rowCount, ...tailShape] : tailShape,
    })),
    outputNames: namesOfAll(parts),
    write: (memory) => writeParts(parts, memory),
    onOutputs: events.onOutputs,
    onError: events.onError,
  };
}

/** Every output that one of the entries wants; empty, which means all, if one wants all. */
function namesOfAll(parts: readonly Part[]): readonly string[] {
  const first = parts[0]!.ticket.entry.outputNames;
  let names: Set<string> | undefined;
  for (const { ticket } of parts) {
    const { outputNames } = ticket.entry;
    if (outputNames === first) continue;
    if (outputNames.length === 0) return outputNames;
    names ??= new Set(first);
    for (const name of outputNames) names.add(name);
  }
  return names === undefined || first.length === 0 ? first : [...names];
}

function writeParts(parts: readonly Part[], memory: BatchMemory): void {
  const { inputs } = parts[0]!.ticket.entry;
  const arrays = new Array<NumericArray | undefined>(inputs.length);
  let batchRow = 0;
  let partRows = 0;
  const writer: RowWriter = {
    numeric(inputIndex) {
      const whole = arrays[inputIndex] ?? memory.numeric(inputIndex);
      arrays[inputIndex] = whole;
      const perRow = elementCount(inputs[inputIndex]!.tailShape);
      const from = batchRow * perRow;
      const to = from + partRows * perRow;
      return from === 0 && to === whole.length ? whole : whole.subarray(from, to);
    },
    strings: (inputIndex, values) => memory.appendStrings(inputIndex, values),
  };
  for (const { ticket, fromRow, rowCount } of parts) {
    partRows = rowCount;
    ticket.entry.write(writer, fromRow, rowCount);
    batchRow += rowCount;
  }
}
