/**
 * What a relay thread of the server and the process of a model say to each other over one socket pair: a start (JSON, then the
 * ONNX protobuf), its outcome, then runs, one at a time, as frames. The process reads and writes at SOCKET; its standard
 * input says nothing and ends when the server does, however that ends.
 */
import type { SessionStart } from "../channel.ts";

/** The descriptor of the socket in the process. */
export const SOCKET = 3;

/** To the process: the JSON of a SessionStart, without its bytes. */
export const PLAN = 1;
/** To the process: the ONNX protobuf. */
export const MODEL = 2;
/** To the process: a frame of inputs. */
export const RUN = 3;
/** To the process: free the session and end. */
export const END = 4;

/** A SessionStart as PLAN carries it. */
export type SessionPlanJson = Omit<SessionStart, "bytes">;
