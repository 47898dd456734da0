/** As OpenSSL and Node call certificates that nobody vouches for. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_SIGNATURE_FAILURE",
]);

/** Whether an error's code says that nobody who is trusted signed the other side's certificate. */
export function isUntrusted(code: string): boolean {
  return UNTRUSTED.has(code);
}

/** What to do about it. `whose`: "its"; `said`: the error's own words; `caFile`: empty, where the machine's authorities are trusted. */
export function untrustedCertificate(whose: string, said: string, caFile: string, setting: string): string {
  const trusted = caFile === "" ? "the machine trusts" : `${caFile} holds`;
  // Node's own advice, which follows a semicolon, is about a flag of its own.
  const [words] = said.split(";");
  return `${whose} certificate is of no authority that ${trusted} (${words}): ${setting} is to hold the one that signed it`;
}
