/** The models of the mixed soak. Each adds a number to each of its floats, so that an answer tells which file it came from. */

import { ChangingRepository, plusModel } from "../../support/updates/changing-repository.ts";
import type { SoakServer } from "../soak-server-process.ts";

/** Floats a row. */
export const COLUMNS = 4;
const NAMES = ["steady", "numbered", "replaced", "apart"] as const;

/** `numbered` and `replaced` are reloaded, `apart` lives in a process that is killed. */
export type ModelName = (typeof NAMES)[number];

/** What a model may add at a time: files that are about to be loaded, or were just replaced, count too. */
interface Span {
  lowest: number;
  highest: number;
}

/** Writes the models, reloads two of them, and knows what is right. */
export class MixedModels {
  readonly names = NAMES;
  reloads = 0;
  private readonly repository: ChangingRepository;
  private readonly spans = new Map<ModelName, Span>(NAMES.map((name) => [name, { lowest: 1, highest: 1 }]));

  constructor(folder: string) {
    this.repository = new ChangingRepository(folder);
    for (const name of NAMES) this.repository.put(1, plusModel(1, COLUMNS), name);
    this.repository.configure({ isolation: "process" }, "apart");
  }

  /** The least that an answer to what is sent now may have added. */
  lowest(model: ModelName): number {
    return this.spans.get(model)!.lowest;
  }

  /** What is not right of an answer to values that were sent while the model added `lowest`; undefined where it is right. */
  wrongIn(
    model: ModelName,
    sent: readonly number[],
    answer: { readonly values: ArrayLike<number>; readonly version: string | undefined },
    lowest: number,
  ): string | undefined {
    const { values, version } = answer;
    if (values.length !== sent.length) return `${values.length} values came for ${sent.length}`;
    const plus = values[0]! - sent[0]!;
    for (let i = 0; i < sent.length; i++) {
      if (values[i] !== sent[i]! + plus) return `value ${i} is ${values[i]}, ${sent[i]! + plus} is right`;
    }
    const { highest } = this.spans.get(model)!;
    if (!(plus >= lowest && plus <= highest)) return `${plus} was added, ${lowest} to ${highest} is right`;
    if (model === "numbered" && version !== undefined && version !== String(plus))
      return `version ${version} added ${plus}`;
    return undefined;
  }

  /** Another file under the same number, or the next number in the place of the last, and asks for it to be loaded. */
  async reload(server: SoakServer): Promise<void> {
    const model = this.reloads++ % 2 === 0 ? "numbered" : "replaced";
    const span = this.spans.get(model)!;
    const plus = span.highest + 1;
    span.highest = plus;
    this.repository.put(model === "numbered" ? plus : 1, plusModel(plus, COLUMNS), model);
    if (model === "numbered") this.repository.remove(String(plus - 1), model);
    const url = `${server.url}/v2/repository/models/${model}/load`;
    const response = await fetch(url, { method: "POST", signal: AbortSignal.timeout(60_000) });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`loading ${model}: ${response.status} ${text}`);
    span.lowest = plus;
  }
}
