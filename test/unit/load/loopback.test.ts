import { expect, test } from "vitest";
import { remoteAddresses, targetAddresses } from "../../../src/load/loopback.ts";
import { parseServerUrl } from "../../../src/scorer/remote/server-url.ts";

const url = parseServerUrl("http://models.example:8080");

test("only 127.0.0.0/8 and ::1 are of this machine alone", () => {
  const own = ["127.0.0.1", "127.255.3.4", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1"];
  expect(remoteAddresses(own)).toEqual([]);
  const others = [
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "128.0.0.1",
    "::ffff:10.0.0.1",
    "fe80::1",
    "2001:db8::1",
    "name",
  ];
  expect(remoteAddresses([...own, ...others])).toEqual(others);
});

test("a name is refused where one of its addresses leaves the machine, and the message tells what to add", async () => {
  const addresses = ["127.0.0.1", "192.0.2.7"];
  const resolve = async () => addresses;
  await expect(targetAddresses(url, false, resolve)).rejects.toThrow(
    /models\.example leads to "192\.0\.2\.7", which is not a loopback address .*--allow-remote/,
  );
  expect(await targetAddresses(url, true, resolve)).toEqual(addresses);
});

test("a name that nobody knows is a server that is not there", async () => {
  const resolve = () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" }));
  await expect(targetAddresses(url, false, resolve)).rejects.toThrow("cannot be resolved (ENOTFOUND)");
});

test("names and addresses of this machine are taken", async () => {
  for (const origin of ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"]) {
    const addresses = await targetAddresses(parseServerUrl(origin), false);
    expect(addresses.length).toBeGreaterThan(0);
  }
  await expect(targetAddresses(parseServerUrl("http://192.0.2.7:1"), false)).rejects.toThrow(
    "--server: 192.0.2.7 is not a loopback address",
  );
});
