import { expect, test } from "vitest";
import { readServerSettings } from "../../../src/config/server-settings.ts";
import { readTlsFiles } from "../../../src/config/tls-files.ts";

test("every TLS file that cannot be used is told in one line, with where it was named", () => {
  const configFile = { name: "assay.json", text: '{"tls_client_ca": "package.json"}' };
  const flags = new Map([["tls-cert", "README.md"]]);
  const settings = readServerSettings({ flags, environment: { ASSAY_TLS_KEY: "/no/key.pem" }, configFile });
  expect(() => readTlsFiles(settings)).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(
        /^--tls-cert: README\.md is no PEM certificate chain \(.+\)\nASSAY_TLS_KEY: \/no\/key\.pem cannot be read: ENOENT.*\ntls_client_ca in assay\.json: package\.json cannot be read: it holds no PEM certificate$/,
      ),
    }),
  );
});
