import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { type ServerProcess, startCommand } from "../server-process.ts";
import { tool } from "../tool.ts";

const CASES = [
  "empty_unary",
  "large_unary",
  "client_streaming",
  "server_streaming",
  "ping_pong",
  "empty_stream",
  "timeout_on_sleeping_server",
  "cancel_after_begin",
  "cancel_after_first_response",
  "status_code_and_message",
  "special_status_message",
  "custom_metadata",
  "unimplemented_method",
  "unimplemented_service",
  "rpc_soak",
  // A connection for each of its calls, all open to its end.
  "channel_soak",
];

describe.each(["assay", "node"])("grpc-go's interop client against the %s engine", (engine) => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startCommand(process.execPath, [
      "test/conformance/suites/interop-server.ts",
      "--http2-engine",
      engine,
    ]);
  });
  afterAll(async () => {
    await server.stop();
  });

  test.each(CASES)("%s passes", async (name) => {
    const [host, port] = server.address.split(":");
    const flags = [
      `--server_host=${host}`,
      `--server_port=${port}`,
      "--use_tls=false",
      `--test_case=${name}`,
      "--soak_iterations=200",
    ];
    const result = await run(tool("grpc-go-interop"), flags);
    expect(result.stderr).not.toContain("fatal");
    expect(result.status).toBe(0);
  });
});
