/** The protocol that a request's content type names. */
export type WireProtocol = "grpc" | "grpc-web" | "grpc-web-text" | "connect-stream" | "http";

/** Reads the protocol from a content type; `http` covers Connect unary, GET and plain HTTP. */
export function wireProtocol(contentType: string | undefined): WireProtocol {
  if (contentType === undefined) return "http";
  const type = contentType.toLowerCase();
  if (type.startsWith("application/grpc-web-text")) return "grpc-web-text";
  if (type.startsWith("application/grpc-web")) return "grpc-web";
  if (
    type === "application/grpc" ||
    type.startsWith("application/grpc+") ||
    type.startsWith("application/grpc;")
  ) {
    return "grpc";
  }
  return type.startsWith("application/connect+") ? "connect-stream" : "http";
}
