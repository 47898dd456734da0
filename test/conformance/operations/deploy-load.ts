import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  PredictRequestSchema,
  PredictStreamRequestSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { collect } from "../../support/clients/command.ts";
import { tool } from "../tool.ts";

const ROW = { modelName: "iris", features: [5.1, 3.5, 1.4, 0.2] };
const REQUEST = create(PredictRequestSchema, ROW);
const ITEM = create(PredictStreamRequestSchema, { itemId: 1n, request: REQUEST });
const SERVICE = "/assay.v1.ScoringService";
const LOAD = [
  `${SERVICE}/Predict`,
  `${SERVICE}/PredictStream`,
  Buffer.from(toBinary(PredictRequestSchema, REQUEST)).toString("hex"),
  Buffer.from(toBinary(PredictStreamRequestSchema, ITEM)).toString("hex"),
  "/predict/iris",
  JSON.stringify({ features: ROW.features }),
];

/** What came of one way to call: its failures in words, and how many answers were not like the others. */
export interface Tally {
  readonly answered: number;
  readonly resumed: number;
  /** Calls whose connections the system had taken, and reset as the listener closed before it accepted them. */
  readonly cutOff: number;
  readonly failures: readonly string[];
  readonly different: number;
}

/** What came of each way. */
export interface LoadReport {
  readonly grpc: Tally;
  readonly json: Tally;
  readonly stream: Tally;
}

/** grpc-go and net/http calling one address; whoever started it ends it. */
export interface DeployLoad {
  /** Ends the calls and gives what came of them. */
  end(): Promise<LoadReport>;
}

/** Starts gRPC calls, streams and JSON calls of the iris model; `flags` are those of go-load. Resolves once they have begun. */
export async function startLoad(address: string, ...flags: string[]): Promise<DeployLoad> {
  const child: ChildProcess = spawn(tool("go-load"), [...flags, address, ...LOAD]);
  const printed = collect(child);
  const ended = once(child, "close");
  await once(child.stdout!, "data");
  return {
    async end() {
      child.stdin!.end();
      await ended;
      const { stdout, stderr } = printed();
      if (child.exitCode !== 0) throw new Error(`go-load ended with ${child.exitCode}: ${stderr}`);
      return JSON.parse(stdout.split("\n")[1]!) as LoadReport;
    },
  };
}
