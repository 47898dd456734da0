import type { InferenceSession } from "onnxruntime-node";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { TreeKernelUse } from "../../model/prepared-model.ts";
import type { TreeGraph } from "../../model/trees/tree-graph.ts";
import { numericView } from "../../tensor/datatype.ts";
import { RUN_OK, type SessionStart } from "../channel.ts";
import { type Frame, readHeader } from "../frame.ts";
import type { RowNumbers } from "../kernel/plane-filling.ts";
import { type Runner, writeText } from "../runner.ts";
import { LoopTurns } from "../session/loop-turns.ts";
import { writeOutputs } from "../session/output-frame.ts";
import { runSession } from "../session/session.ts";
import { withoutRows } from "../session/session-runner.ts";
import type { SlotMemory } from "../slot-memory.ts";
import type { TreeSession } from "./tree-session.ts";

/** Rows of numbers on their way to the trees. */
interface Rows {
  readonly data: RowNumbers;
  readonly dims: readonly number[];
}

/** Runs frames through the kernel of trees, and through a session of ONNX Runtime before it where the graph has more. */
export class TreeRunner implements Runner {
  readonly needsTurns = false;
  readonly treeKernel: TreeKernelUse;
  readonly #trees: TreeSession;
  /** The value that the trees read, or the graph's input that is it. */
  readonly #input: string;
  /** Of rows whose axes behind the first are more than one; 0: the rows' own. */
  readonly #columnCount: number;
  readonly #start: SessionStart;
  readonly #head: InferenceSession | undefined;
  readonly #headStart: SessionStart;
  readonly #turns: LoopTurns | undefined;

  constructor(trees: TreeSession, graph: TreeGraph, start: SessionStart, head: InferenceSession | undefined) {
    this.#trees = trees;
    this.#input = graph.fedInput ?? graph.input;
    this.#columnCount = this.#input === graph.input ? 0 : graph.columnCount;
    this.#start = withoutRows(start);
    this.#turns = head === undefined ? undefined : new LoopTurns();
    this.#head = head;
    const rest = head === undefined ? "" : "; ONNX Runtime runs what stands before them";
    this.treeKernel = {
      isUsed: true,
      reason: `${trees.treeCount} trees give what ONNX Runtime gives${rest}`,
    };
    this.#headStart = { ...this.#start, outputNames: graph.head?.outputNames ?? [] };
  }

  async run(memory: SharedArrayBuffer, output: SlotMemory): Promise<number> {
    const turn = this.#turns?.afterRun();
    if (turn !== undefined) await turn;
    try {
      const results = await this.#results(memory, readHeader(memory));
      writeOutputs(results, this.#start, output, this.#start.maxOutputBytes);
      return RUN_OK;
    } catch (error) {
      if (!(error instanceof AssayError)) throw error;
      writeText(error.message, output);
      return error.reason;
    }
  }

  async close(): Promise<void> {
    await this.#head?.release();
  }

  /** Outputs of tensors by name, all of them: for golden rows, before frames come. */
  async runTensors(feeds: InferenceSession.OnnxValueMapType): Promise<InferenceSession.OnnxValueMapType> {
    const head = await this.#head?.run(feeds, [...this.#headStart.outputNames]);
    return this.#outputs((head ?? feeds)[this.#input] as unknown as Rows, head, () => true);
  }

  async #results(memory: SharedArrayBuffer, frame: Frame): Promise<InferenceSession.OnnxValueMapType> {
    const { outputNames } = this.#start;
    const { extras } = frame;
    const isWanted = (name: string) =>
      extras.length === 0 || extras.some((index) => outputNames[index] === name);
    if (this.#head === undefined) return this.#outputs(this.#rows(memory, frame), undefined, isWanted);
    const head = await runSession(this.#head, this.#headStart, memory, { ...frame, extras: [] });
    return this.#outputs(head[this.#input] as unknown as Rows, head, isWanted);
  }

  #outputs(
    { data, dims: axes }: Rows,
    head: InferenceSession.OnnxValueMapType | undefined,
    isWanted: (name: string) => boolean,
  ): InferenceSession.OnnxValueMapType {
    const columns = this.#columnCount;
    const dims = columns > 0 && data.length % columns === 0 ? [data.length / columns, columns] : axes;
    if (dims.length !== 2) throw rankFailure(dims);
    const outputs: Record<string, unknown> = this.#trees.run(data, dims[0]!, dims[1]!, isWanted);
    if (head !== undefined)
      for (const name of this.#start.outputNames)
        if (Object.hasOwn(head, name) && isWanted(name)) outputs[name] = head[name];
    return outputs as InferenceSession.OnnxValueMapType;
  }

  #rows(memory: SharedArrayBuffer, { tensors }: Frame): Rows {
    const { inputNames } = this.#start;
    const tensor = tensors.find(({ nameIndex }) => inputNames[nameIndex] === this.#input);
    if (tensor === undefined || tensor.datatype === "BYTES") throw rankFailure([]);
    const { datatype, shape, byteOffset } = tensor;
    const count = shape.reduce((product, length) => product * length, 1);
    return { data: numericView(datatype, memory, byteOffset, count) as RowNumbers, dims: shape };
  }
}

function rankFailure(dims: readonly number[]): AssayError {
  return new AssayError(
    Reason.RUN_FAILED,
    `the model failed on these rows: its trees read rows of columns, and a tensor of the shape [${dims}] came`,
  );
}
