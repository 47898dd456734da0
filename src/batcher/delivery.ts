import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import { JoinedOutputs, sliceRows } from "./joined-outputs.ts";
import type { RowlessOutputs } from "./rowless-outputs.ts";
import type { Part, Ticket } from "./ticket.ts";

/** What a delivery needs of the batcher. */
export interface DeliveryOptions {
  readonly hasRows: boolean;
  /** The most rows of a batch, for messages. */
  readonly maxRows: number;
  readonly rowlessOutputs: RowlessOutputs;
  answer(ticket: Ticket, outputs: readonly TensorData[]): void;
  fail(ticket: Ticket, error: AssayError): void;
  /** The outputs have no rows to give to several entries: they are to run apart, or the only one fails with `error`. */
  onIndivisible(parts: readonly Part[], error: AssayError): void;
}

/** Gives each entry of a batch its own rows of the outputs. */
export function createDelivery(
  options: DeliveryOptions,
): (parts: readonly Part[], rowCount: number, outputs: readonly TensorData[]) => void {
  const { hasRows, maxRows, rowlessOutputs, answer, fail } = options;

  function deliverPart(part: Part, outputs: readonly TensorData[]): void {
    const { ticket } = part;
    if (ticket.isSettled) return;
    const { entry } = ticket;
    if (part.rowCount === entry.rowCount) {
      answer(ticket, outputs);
      return;
    }
    ticket.joined ??= new JoinedOutputs(entry.rowCount);
    try {
      ticket.joined.add(outputs, part.fromRow);
    } catch (error) {
      fail(ticket, error as AssayError);
      return;
    }
    ticket.answeredRows += part.rowCount;
    if (ticket.answeredRows === entry.rowCount) answer(ticket, ticket.joined.outputs);
  }

  return (parts, rowCount, outputs) => {
    const whole = parts.length === 1 && parts[0]!.rowCount === parts[0]!.ticket.entry.rowCount;
    if (whole || !hasRows) {
      answer(parts[0]!.ticket, outputs);
      return;
    }
    if (!rowlessOutputs.areAbsentFrom(outputs, rowCount)) {
      const shapes = outputs.map((output) => `"${output.name}" [${output.shape}]`).join(", ");
      const what = `the outputs do not have one row for each of the ${rowCount} rows: ${shapes}; send at most ${maxRows} rows in one request`;
      options.onIndivisible(parts, new AssayError(Reason.RUN_FAILED, what));
      return;
    }
    let batchRow = 0;
    for (const part of parts) {
      deliverPart(part, sliceRows(outputs, batchRow, part.rowCount, rowCount));
      batchRow += part.rowCount;
    }
  };
}
