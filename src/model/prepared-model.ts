import type { ModelConfig } from "../../gen/assay/config/v1/model_config_pb.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import type { FeaturePlan } from "./features/feature-plan.ts";
import type { OutputOrigins } from "./scores/output-origins.ts";
import type { ModelSignature, Repair } from "./signature.ts";
import type { SourceFile } from "./source-file.ts";
import type { TritonFiles } from "./triton/side-files.ts";

/** One golden case: what goes in, and what the training library says comes out. */
export interface GoldenCase {
  readonly inputs: readonly TensorData[];
  readonly outputs: readonly TensorData[];
  readonly tolerance: { readonly abs: number; readonly rel: number };
}

/** A file of the version folder that holds weights. */
export interface WeightFile {
  /** As the graph names it. */
  readonly location: string;
  /** With links followed. */
  readonly path: string;
  readonly byteLength: number;
  /** SHA-256 of what the model was checked with, lower-case hex: a session is made of no other bytes; undefined: of any. */
  readonly sha256: string | undefined;
}

/** What runs the trees of a model: Assay's own code, or ONNX Runtime, and why. */
export interface TreeKernelUse {
  readonly isUsed: boolean;
  readonly reason: string;
}

/** A model file as it will be served: read, repaired, not yet run. */
export interface PreparedModel {
  readonly modelName: string;
  readonly modelVersion: string;
  /** The ONNX protobuf to make sessions from, repairs applied. */
  readonly bytes: Uint8Array;
  /** Files of external tensor data; all lie inside the version folder. */
  readonly externalData: readonly WeightFile[];
  readonly signature: ModelSignature;
  /** What the graph tells of each output. */
  readonly origins: OutputOrigins;
  /** Rows that the file's batch dimension is fixed at; undefined where it is open or there is none. */
  readonly fixedRows: number | undefined;
  readonly repairs: readonly Repair[];
  readonly notices: readonly string[];
  readonly irVersion: bigint;
  readonly opsetImports: readonly { readonly domain: string; readonly version: bigint }[];
  /** What wrote the file, with its version where given. */
  readonly producer: string;
  /** SHA-256 of the file as it lies on disk, lower-case hex. */
  readonly sha256: string;
  readonly fileBytes: number;
  /** What lets a run take any time or memory, in words; undefined where the size of its inputs bounds both. */
  readonly unboundedRun: string | undefined;
  /** An ensemble of trees stands at the top of its graph. */
  readonly hasTrees: boolean;
  /** The files it was made of, as they lay on disk; empty where it was made of none. */
  readonly files: readonly SourceFile[];
  /** What `config.json` says, and config.pbtxt where that says nothing; fields that both leave out are unset. */
  readonly config: ModelConfig;
  /** Where columns come from that rows leave out; undefined for a model whose rows bring all. */
  readonly features?: readonly FeaturePlan[];
  /** Triton's config.pbtxt with the labels that it names; undefined for a model that has none. */
  readonly triton?: TritonFiles;
  /** From golden.json and test_data_set_N; empty where there are none. */
  readonly goldenCases: readonly GoldenCase[];
  /** A row that the model ran, known once it passed its gate. */
  readonly exampleInputs?: readonly TensorData[];
  /** What runs its trees, known once it was started; undefined where it has none. */
  readonly treeKernel?: TreeKernelUse | undefined;
}

/** A version folder that was found: ready to be loaded, or refused with what to do. */
export type FoundModel =
  | { readonly kind: "prepared"; readonly model: PreparedModel }
  | {
      readonly kind: "refused";
      readonly modelName: string;
      readonly modelVersion: string;
      /** For callers and operators: what came, what was expected, what to do. */
      readonly reason: string;
      readonly cause?: unknown;
    };
