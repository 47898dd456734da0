import { expect, test } from "vitest";
import { askedIdentity, security, securitySchemes } from "../../../../src/edge/identity/asked-identity.ts";

const bearer = { bearer: [] };
const certificate = { certificate: [] };

test.each([
  { flags: [], closed: [], open: [] },
  { flags: ["keys"], closed: [bearer], open: [] },
  { flags: ["jwks"], closed: [bearer], open: [] },
  { flags: ["keys", "jwks"], closed: [bearer], open: [] },
  { flags: ["tlsClientCa"], closed: [certificate], open: [certificate] },
  // A line of the keys may name the certificate; a token is brought beside one.
  {
    flags: ["keys", "tlsClientCa"],
    closed: [{ ...certificate, ...bearer }, certificate],
    open: [certificate],
  },
  { flags: ["jwks", "tlsClientCa"], closed: [{ ...certificate, ...bearer }], open: [certificate] },
])("with $flags calls bring $closed, and probes $open", ({ flags, closed, open }) => {
  const file = (name: string) => (flags.includes(name) ? "file" : "");
  const identity = askedIdentity({
    keys: file("keys"),
    jwks: file("jwks"),
    tlsClientCa: file("tlsClientCa"),
    metricsWithoutKey: false,
  });
  expect(security(identity, false)).toEqual(closed);
  expect(security(identity, true)).toEqual(open);
  const named = [...new Set(closed.flatMap((each) => Object.keys(each)))].sort();
  expect(Object.keys(securitySchemes(identity) ?? {}).sort()).toEqual(named);
});

test("a server that takes tokens alone says that they are JWT", () => {
  const none = { keys: "", jwks: "", tlsClientCa: "", metricsWithoutKey: false };
  const ofTokens = securitySchemes(askedIdentity({ ...none, jwks: "file" }));
  expect(ofTokens).toMatchObject({ bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } });
  const ofKeys = securitySchemes(askedIdentity({ ...none, keys: "file" }));
  expect(ofKeys).not.toHaveProperty("bearer.bearerFormat");
});
