import { expect, test } from "vitest";
import { alternativeNames, certificateNames } from "../../../../src/edge/identity/certificate-names.ts";

test.each([
  ["DNS:a.example.com, DNS:b", ["a.example.com", "b"]],
  [
    "URI:spiffe://org/ns/scoring, IP Address:10.0.0.1, email:a@b.c",
    ["spiffe://org/ns/scoring", "10.0.0.1", "a@b.c"],
  ],
  ["", []],
  ["DirName:/CN=boss, DNS:a", ["a"]],
  // Node puts names with odd signs in quotes, so that none can look like two (CVE-2021-44532).
  ['DNS:"a, DNS:boss"', ["a, DNS:boss"]],
  ['URI:"http://x/\\"y", DNS:b', ['http://x/"y', "b"]],
])("%j are the names %j", (text, names) => {
  expect(alternativeNames(text)).toEqual(names);
});

test("a certificate that no authority of the server's signed names nobody", () => {
  const getPeerCertificate = () => ({ subject: { CN: "boss" }, subjectaltname: "DNS:boss" });
  expect(certificateNames({ authorized: false, getPeerCertificate })).toEqual([]);
  expect(certificateNames({})).toEqual([]);
  expect(certificateNames({ authorized: true, getPeerCertificate: () => ({}) })).toEqual([]);
  expect(certificateNames({ authorized: true, getPeerCertificate })).toEqual(["boss", "boss"]);
});
