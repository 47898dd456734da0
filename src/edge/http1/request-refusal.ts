import type { Socket } from "node:net";
import { limitHit } from "../../limits.ts";
import type { EdgeLimits } from "../call/limits.ts";
import { closeGently } from "../listen/gentle-close.ts";

/** What is wrong with octets that are no request, in the words of `node:http`'s parser. */
export interface RequestFault {
  readonly code?: string | undefined;
  readonly message: string;
}

/** Answers what is no request, and ends the connection; without a word where an answer has begun, or nobody would read one. */
export function refuseRequest(
  socket: Socket,
  fault: RequestFault,
  hasAnswerBegun: boolean,
  limits: EdgeLimits,
): void {
  if (fault.code === "HPE_HEADER_OVERFLOW") limitHit("max-header-list-bytes");
  else if (fault.code === "ERR_HTTP_REQUEST_TIMEOUT") limitHit("header-timeout-ms");
  if (!socket.writable || fault.code === "ECONNRESET" || hasAnswerBegun) {
    socket.destroy();
    return;
  }
  const { status, message } = refusal(fault, limits);
  const body = JSON.stringify({
    code: status.startsWith("400") ? "invalid_argument" : "resource_exhausted",
    message,
  });
  socket.write(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  closeGently(socket);
}

function refusal(fault: RequestFault, limits: EdgeLimits): { status: string; message: string } {
  switch (fault.code) {
    case "HPE_HEADER_OVERFLOW":
      return {
        status: "431 Request Header Fields Too Large",
        message: `the request's header list is larger than ${limits.maxHeaderListBytes} bytes (max-header-list-bytes)`,
      };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return {
        status: "408 Request Timeout",
        message: `the request's header block did not come within ${limits.headerTimeoutMs} ms (header-timeout-ms)`,
      };
    default:
      return { status: "400 Bad Request", message: `malformed HTTP/1.1 request: ${fault.message}` };
  }
}
