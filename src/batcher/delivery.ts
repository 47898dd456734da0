import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import type { BatchRun } from "./batch-run.ts";
import { JoinedOutputs, sliceRows } from "./joined-outputs.ts";
import type { OpenTickets } from "./open-tickets.ts";
import type { Part } from "./ticket.ts";

/** Whom a delivery tells what it cannot do. */
export interface DeliveryEvents {
  /** The outputs have no rows to give to several entries: they are to run apart, or the only one fails with `error`. */
  onIndivisible(run: BatchRun, error: AssayError): void;
}

/** Gives each entry of a batch its own rows of the outputs. */
export class Delivery {
  private readonly hasRows: boolean;
  private readonly maxRows: number;
  private readonly rowlessOutputs: RowlessOutputs;
  private readonly tickets: OpenTickets;
  private readonly events: DeliveryEvents;

  /** `hasRows` is false where the model has no batch dimension; `maxRows` of a batch is for messages. */
  constructor(
    hasRows: boolean,
    maxRows: number,
    rowlessOutputs: RowlessOutputs,
    tickets: OpenTickets,
    events: DeliveryEvents,
  ) {
    this.hasRows = hasRows;
    this.maxRows = maxRows;
    this.rowlessOutputs = rowlessOutputs;
    this.tickets = tickets;
    this.events = events;
  }

  /** Hands out the outputs of a run that ended at `now`. */
  deliver(run: BatchRun, outputs: readonly TensorData[], now: number): void {
    const { parts, rowCount } = run;
    const { ticket, rowCount: firstRows } = parts[0]!;
    const isWhole = parts.length === 1 && firstRows === ticket.entry.rowCount;
    if (isWhole || !this.hasRows) {
      this.tickets.answer(ticket, wantedOutputs(outputs, ticket.entry.outputNames), now);
      return;
    }
    if (!this.rowlessOutputs.areAbsentFrom(outputs, rowCount)) {
      this.events.onIndivisible(run, this.indivisible(outputs, rowCount));
      return;
    }
    let batchRow = 0;
    for (const part of parts) {
      this.deliverPart(part, sliceRows(outputs, batchRow, part.rowCount, rowCount), now);
      batchRow += part.rowCount;
    }
  }

  private deliverPart(part: Part, outputs: readonly TensorData[], now: number): void {
    const { ticket } = part;
    if (ticket.isSettled) return;
    const { rowCount, outputNames } = ticket.entry;
    if (part.rowCount === rowCount) {
      this.tickets.answer(ticket, wantedOutputs(outputs, outputNames), now);
      return;
    }
    ticket.joined ??= new JoinedOutputs(rowCount);
    try {
      ticket.joined.add(outputs, part.fromRow);
    } catch (error) {
      this.tickets.fail(ticket, error as AssayError, now);
      return;
    }
    ticket.answeredRows += part.rowCount;
    if (ticket.answeredRows < rowCount) return;
    this.tickets.answer(ticket, wantedOutputs(ticket.joined.outputs, outputNames), now);
  }

  private indivisible(outputs: readonly TensorData[], rowCount: number): AssayError {
    const shapes = outputs.map((output) => `"${output.name}" [${output.shape}]`).join(", ");
    return new AssayError(
      Reason.RUN_FAILED,
      `the outputs do not have one row for each of the ${rowCount} rows: ${shapes}; send at most ${this.maxRows} rows in one request`,
    );
  }
}

/** The outputs that an entry asked for; all where it named none. */
function wantedOutputs(outputs: readonly TensorData[], names: readonly string[]): readonly TensorData[] {
  if (names.length === 0 || names.length === outputs.length) return outputs;
  return outputs.filter((output) => names.includes(output.name));
}

/**
 * The outputs of a model that have no row for each row of the batch, such as a constant: they cannot be shared out, so entries
 * that want one run alone. Known from the signature or found in a run; made by `createRowlessOutputs`.
 */
export interface RowlessOutputs {
  /** Whether none of the outputs that are wanted is one of these; no names mean all outputs. */
  areAvoidedBy(outputNames: readonly string[]): boolean;
  /** Whether each output of a run has `rowCount` rows; remembers those that have not. */
  areAbsentFrom(outputs: readonly TensorData[], rowCount: number): boolean;
}

/** `onFound` is called once for each output that was not among `known`. */
export function createRowlessOutputs(
  known: readonly string[],
  onFound: (outputName: string) => void,
): RowlessOutputs {
  const names = new Set(known);
  return {
    areAvoidedBy(outputNames) {
      if (names.size === 0) return true;
      return outputNames.length > 0 && !outputNames.some((name) => names.has(name));
    },
    areAbsentFrom(outputs, rowCount) {
      let absent = true;
      for (const { name, shape } of outputs) {
        // A length that equals the number of rows by chance does not make them rows.
        if (!names.has(name) && shape[0] === rowCount) continue;
        absent = false;
        if (names.has(name)) continue;
        names.add(name);
        onFound(name);
      }
      return absent;
    },
  };
}
