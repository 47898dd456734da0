import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { type Datatype, elementBytes, type NumericArray, numericView } from "../tensor/datatype.ts";
import { copyElements } from "../tensor/octet-copy.ts";
import { elementCount, type TensorData } from "../tensor/tensor-data.ts";

interface JoinedOutput {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: NumericArray | string[];
}

/** Rows `fromRow` to `fromRow + rowCount` of each output, numeric data as views. */
export function sliceRows(
  outputs: readonly TensorData[],
  fromRow: number,
  rowCount: number,
  batchRows: number,
): readonly TensorData[] {
  if (rowCount === batchRows) return outputs;
  return outputs.map(({ name, datatype, shape, data }) => {
    const perRow = data.length / batchRows;
    const from = fromRow * perRow;
    const to = from + rowCount * perRow;
    const own = shape.slice();
    own[0] = rowCount;
    return {
      name,
      datatype,
      shape: own,
      data: isStrings(data) ? data.slice(from, to) : data.subarray(from, to),
    };
  });
}

/** Outputs of an entry whose rows ran in several batches, put together in the order of its rows. */
export class JoinedOutputs {
  private readonly rowCount: number;
  private joined: readonly JoinedOutput[] | undefined = undefined;

  /** Makes room for `rowCount` rows when the first part comes. */
  constructor(rowCount: number) {
    this.rowCount = rowCount;
  }

  /** Copies a part's rows to their place. Throws RUN_FAILED where parts do not fit each other. */
  add(outputs: readonly TensorData[], fromRow: number): void {
    this.joined ??= outputs.map((output) => emptyOutput(output, this.rowCount));
    for (const [index, whole] of this.joined.entries()) {
      const part = outputs[index];
      if (part === undefined || !sameTail(part.shape, whole.shape)) {
        throw new AssayError(
          Reason.RUN_FAILED,
          `output "${whole.name}" has another shape in each batch of this request, such as [${part?.shape}] and [${whole.shape}]; send fewer rows in one request`,
        );
      }
      const perRow = elementCount(whole.shape) / this.rowCount;
      copyValues(whole.data, part.data, fromRow * perRow);
    }
  }

  get outputs(): readonly TensorData[] {
    return this.joined ?? [];
  }
}

function emptyOutput({ name, datatype, shape }: TensorData, rowCount: number): JoinedOutput {
  const whole = [rowCount, ...shape.slice(1)];
  const count = elementCount(whole);
  const data =
    datatype === "BYTES"
      ? new Array<string>(count).fill("")
      : numericView(datatype, new ArrayBuffer(count * elementBytes(datatype)), 0, count);
  return { name, datatype, shape: whole, data };
}

function sameTail(shape: readonly number[], other: readonly number[]): boolean {
  return shape.length === other.length && shape.every((length, axis) => axis === 0 || length === other[axis]);
}

function copyValues(target: NumericArray | string[], source: TensorData["data"], at: number): void {
  if (Array.isArray(target)) {
    for (let i = 0; i < source.length; i++) target[at + i] = source[i] as string;
  } else {
    copyElements(source as NumericArray, target, at);
  }
}

function isStrings(data: TensorData["data"]): data is readonly string[] {
  return Array.isArray(data);
}
