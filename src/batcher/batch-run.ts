import type { AssayError } from "../errors.ts";
import type { Batch, BatchMemory } from "../pool/pool.ts";
import type { EntryTrace } from "../telemetry/traces/entry-trace.ts";
import type { NumericArray } from "../tensor/datatype.ts";
import { elementCount, type TensorData } from "../tensor/tensor-data.ts";
import type { RowWriter } from "./batcher.ts";
import type { Part } from "./ticket.ts";

/** Whom a run tells how it ended: exactly one is called, once. */
export interface RunEvents {
  onOutputs(run: BatchRun, outputs: readonly TensorData[]): void;
  onRunError(run: BatchRun, error: AssayError): void;
}

/** The pool's batch of parts of entries with equal shape keys, at least one. */
export class BatchRun implements Batch {
  readonly parts: readonly Part[];
  readonly rowCount: number;
  readonly inputs: Batch["inputs"];
  readonly outputNames: readonly string[];
  /** On `performance.now()`'s clock. */
  readonly startedAt: number;
  /** Those of its entries; undefined where none of them has one. */
  readonly traces: readonly EntryTrace[] | undefined;
  private readonly events: RunEvents;

  /** `hasRows` is false where the model has no batch dimension. An entry has started with the first of its runs. */
  constructor(parts: readonly Part[], hasRows: boolean, startedAt: number, events: RunEvents) {
    let rowCount = 0;
    let traces: EntryTrace[] | undefined;
    for (const part of parts) {
      rowCount += part.rowCount;
      const { times } = part.ticket.entry;
      if (Number.isNaN(times.startedAt)) times.startedAt = startedAt;
      if (times.trace !== undefined) traces = withOne(traces, times.trace);
    }
    this.parts = parts;
    this.traces = traces;
    this.rowCount = rowCount;
    this.inputs = parts[0]!.ticket.entry.inputs.map(({ name, datatype, tailShape }) => ({
      name,
      datatype,
      shape: hasRows ? [rowCount, ...tailShape] : tailShape,
    }));
    this.outputNames = namesOfAll(parts);
    this.startedAt = startedAt;
    this.events = events;
  }

  write(memory: BatchMemory): void {
    writeParts(this.parts, memory);
  }

  onOutputs(outputs: readonly TensorData[]): void {
    this.events.onOutputs(this, outputs);
  }

  onError(error: AssayError): void {
    this.events.onRunError(this, error);
  }
}

function withOne(traces: EntryTrace[] | undefined, one: EntryTrace): EntryTrace[] {
  if (traces === undefined) return [one];
  traces.push(one);
  return traces;
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
