/** Tokens (JWT) of an issuer let in whom they name, until they expire, and nobody else's do. */

import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { expect, onTestFinished, test, vi } from "vitest";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { createForwardedLog } from "../../../src/telemetry/log.ts";
import { fileFolder } from "../../support/folders.ts";
import { irisFolder, keyFile, keyLine, sendWith, transportsWith } from "../../support/keys/keyed-server.ts";
import { startAppServer } from "../../support/servers/app-server.ts";

const ISSUER = "https://login.example.com";
const FLAGS = { "jwt-issuer": ISSUER, "jwt-audience": "scoring,other" };
const iris = { modelName: "iris", features: [5.1, 3.5, 1.4, 0.2] };

interface Key {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];
  readonly jwk: object;
}

async function key(alg: string, kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

const es = await key("ES256", "es");
const rs = await key("RS256", "rs");
const ed = await key("EdDSA", "ed");
const foreign = await key("ES256", "es");
const withdrawn = await key("ES512", "es512");

function token(claims: JWTPayload = {}, by: Key = es, seconds = 60): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ sub: "ada", assay_models: ["iris"], ...claims })
    .setProtectedHeader({ alg: by.alg, kid: by.kid })
    .setIssuedAt(now)
    .setIssuer((claims.iss as string | undefined) ?? ISSUER)
    .setAudience(claims.aud ?? "scoring")
    .setExpirationTime(claims.exp ?? now + seconds)
    .sign(by.privateKey);
}

const models = irisFolder();
const folder = fileFolder();
const file = join(folder, "jwks.json");
const set = (...keys: Key[]) => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });

async function started(flags: Record<string, string>) {
  const lines: Record<string, unknown>[] = [];
  const log = createForwardedLog("info", {}, (line) => lines.push(JSON.parse(line)));
  const server = await startAppServer(models, { ...FLAGS, "access-log": "all", ...flags }, { log });
  onTestFinished(() => server.app.close());
  return { ...server, lines };
}

test("a token of the issuer's serves the models of its claim; others are refused, each with why, and none is shown", async () => {
  writeFileSync(file, set(es, rs, ed, withdrawn));
  const keys = keyFile(keyLine("plain-key", { id: "k", models: ["*"] }));
  const { url, lines } = await started({ jwks: file, keys: keys.path });
  const status = async (bearer: string) => {
    const { status: code, text } = await sendWith(url, bearer)("/predict/iris", iris);
    expect(text).not.toContain(bearer);
    return [code, JSON.parse(text).detail];
  };
  for (const by of [es, rs, ed]) expect((await status(await token({}, by)))[0]).toBe(200);
  expect((await status(await token({ assay_models: "census iris", aud: ["other", "x"] })))[0]).toBe(200);
  expect((await status("plain-key"))[0]).toBe(200);
  expect((await status(await token({ assay_models: ["census"] })))[0]).toBe(403);
  expect((await status(await token({ assay_models: undefined })))[0]).toBe(403);
  const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${(await token()).split(".")[1]}.`;
  const shared = await new SignJWT({ assay_models: ["*"] })
    .setProtectedHeader({ alg: "HS256", kid: "es" })
    .setIssuer(ISSUER)
    .setAudience("scoring")
    .setExpirationTime("1h")
    .sign(Buffer.from(JSON.stringify(es.jwk)));
  const good = await token();
  const refused: [string, RegExp][] = [
    [await token({ iss: "https://else.example.com" }), /issuer, audience or times/],
    [await token({ aud: "elsewhere" }), /issuer, audience or times/],
    [await token({}, es, -100), /it has expired/],
    [await token({}, foreign), /its signature is wrong/],
    [await token({}, withdrawn), /algorithm that the server does not take/],
    [none, /algorithm|no token|not supported|none that/],
    [shared, /algorithm/],
    [`${good.slice(0, -4)}AAAA`, /signature is wrong/],
    ["a.b.c", /no token of the issuer's/],
  ];
  for (const [bearer, why] of refused) {
    const [code, detail] = await status(bearer);
    expect([code, detail]).toEqual([401, expect.stringMatching(why)]);
  }
  // Within the tolerance for clocks.
  expect((await status(await token({}, es, -5)))[0]).toBe(200);
  expect(JSON.stringify(lines)).not.toContain(good);
  expect(lines.some(({ caller, status: code }) => caller === "ada" && code === 200)).toBe(true);
});

test("claims say who may read the metrics and who loads models", async () => {
  writeFileSync(file, set(es));
  const { url } = await started({ jwks: file, "model-control": "explicit", "load-model": "iris" });
  const send = async (claims: JWTPayload, path: string, body?: object) =>
    (await sendWith(url, await token(claims))(path, body)).status;
  const load = "/v2/repository/models/iris/load";
  expect(await send({}, "/metrics")).toBe(403);
  expect(await send({ assay_metrics: true }, "/metrics")).toBe(200);
  expect(await send({}, load, {})).toBe(403);
  expect(await send({ assay_admin: true }, load, {})).toBe(200);
  expect(await send({ assay_admin: true, assay_models: ["other"] }, load, {})).toBe(403);
  expect(await send({ assay_admin: "true" }, load, {})).toBe(403);
});

test("a token that expires while its stream is open is refused with the next item", async () => {
  writeFileSync(file, set(es));
  const { url } = await started({ jwks: file, "jwt-clock-tolerance-ms": "0" });
  const transport = transportsWith(url, await token({}, es, 2)).grpc!;
  const expired = Promise.withResolvers<void>();
  async function* items() {
    yield { itemId: 1n, request: iris };
    await expired.promise;
    yield { itemId: 2n, request: iris };
  }
  const answers = createClient(ScoringService, transport).predictStream(items())[Symbol.asyncIterator]();
  expect((await answers.next()).value.result.case).toBe("response");
  const call = () =>
    createClient(ScoringService, transport)
      .predict(iris)
      .then(
        () => "served",
        (error) => ConnectError.from(error).code,
      );
  await vi.waitFor(async () => expect(await call()).toBe(Code.Unauthenticated), { timeout: 10_000 });
  expired.resolve();
  expect((await answers.next()).value.result.value.code).toBe(Code.Unauthenticated);
});

test("a file of keys that changes holds for tokens that were known, and a broken one changes nothing", async () => {
  writeFileSync(file, set(es));
  const { url, app, lines } = await started({ jwks: file });
  const bearer = await token();
  const status = async () => (await sendWith(url, bearer)("/predict/iris", iris)).status;
  expect(await status()).toBe(200);
  writeFileSync(file, '{"keys": [');
  await app.rescan();
  expect(await status()).toBe(200);
  expect(lines.some(({ msg }) => String(msg).includes("is no key set (JWKS)"))).toBe(true);
  writeFileSync(file, set(rs));
  await app.rescan();
  expect(await status()).toBe(401);
});

test("keys at a URL are fetched when a token wants one; where they cannot be had, the caller is told to come again", async () => {
  let answer = "";
  let fetched = 0;
  const issuer = createServer((_, response) => {
    fetched++;
    if (answer === "") response.destroy();
    else response.setHeader("content-type", "application/json").end(answer);
  });
  await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void issuer.close());
  const { url, lines } = await started({
    jwks: `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks`,
  });
  const bearer = await token();
  const send = () => sendWith(url, bearer)("/predict/iris", iris);
  expect(fetched).toBe(0);
  const away = await send();
  expect([away.status, away.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(lines.some(({ msg }) => String(msg).includes("issuer's keys cannot be had"))).toBe(true);
  answer = `{"keys": ["${"x".repeat(2_000_000)}"]}`;
  expect((await send()).status).toBe(503);
  answer = set(es);
  expect((await send()).status).toBe(200);
  const before = fetched;
  expect(await Promise.all([send(), send()])).toMatchObject([{ status: 200 }, { status: 200 }]);
  expect(fetched).toBe(before);
});

test.each([
  [{ jwks: "x.json" }, "--jwks needs --jwt-issuer and --jwt-audience"],
  [{ "jwt-issuer": "a" }, "--jwt-issuer needs --jwks"],
  [{ jwks: "http://example.com/jwks", ...FLAGS }, "expected is https, or a file"],
  [{ jwks: "x.json", ...FLAGS, "jwt-algorithms": "HS256" }, "--jwt-algorithms"],
  [{ jwks: "not-there.json", ...FLAGS }, "not-there.json cannot be read"],
  [{ "metrics-without-key": "true" }, "--metrics-without-key needs --keys or --jwks"],
])("%j does not start: %s", async (flags, why) => {
  await expect(startAppServer(models, flags as Record<string, string>)).rejects.toThrow(why);
});
