import {
  AuthenticationError,
  MultipleErrors,
  NetworkError,
  ProtocolError,
  UserError,
} from "@platformatic/kafka";
import { expect, test } from "vitest";
import { refusedConnection } from "../../../../src/consume/brokers/refused-connection.ts";

const PLAIN = { brokers: ["b:1"], tlsTexts: undefined, tlsCaFile: "", saslMechanism: "", saslUsername: "" };
const TLS = { ...PLAIN, tlsTexts: { ca: undefined, cert: undefined, key: undefined } };
const SASL = { ...TLS, saslMechanism: "SCRAM-SHA-256", saslUsername: "u" };

/** As the client wraps what went wrong with a connection. */
function wrapped(cause: Error): Error {
  return new MultipleErrors("metadata failed 4 times.", [
    new MultipleErrors("Cannot connect to any broker.", [
      new NetworkError("Connection to b:1 failed.", { cause }),
    ]),
  ]);
}
const coded = (code: string, message: string) => Object.assign(new Error(message), { code });

test.each([
  [
    SASL,
    new AuthenticationError("SASL authentication failed.", {
      cause: new ProtocolError("SASL_AUTHENTICATION_FAILED"),
    }),
    'they refuse the user "u": is its password right, and was it made for SCRAM-SHA-256?',
  ],
  [
    SASL,
    new AuthenticationError("Cannot find a suitable SASL mechanism.", {
      cause: new ProtocolError("UNSUPPORTED_SASL_MECHANISM"),
    }),
    "they do not take SCRAM-SHA-256: --sasl-mechanism is to name one that is enabled at this listener",
  ],
  [
    { ...TLS, tlsCaFile: "ca.pem" },
    coded("SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate in certificate chain"),
    "their certificate is of no authority that ca.pem holds (self-signed certificate in certificate chain): --tls-ca-file is to hold the one that signed it",
  ],
  [
    TLS,
    coded("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"),
    "their certificate is of no authority that the machine trusts (self-signed certificate): --tls-ca-file is to hold the one that signed it",
  ],
  [TLS, coded("CERT_HAS_EXPIRED", "certificate has expired"), "their certificate has expired"],
  [
    TLS,
    coded("ERR_TLS_CERT_ALTNAME_INVALID", "IP: 127.0.0.1 is not in the cert's list"),
    "their certificate is for other names (IP: 127.0.0.1 is not in the cert's list): --brokers is to name them as it does",
  ],
  [
    TLS,
    coded("ERR_SSL_WRONG_VERSION_NUMBER", "wrong version number"),
    "they do not speak TLS at this port: name another one, or leave --tls out",
  ],
  [PLAIN, new UserError("Broker requires TLS."), "they speak TLS at this port: say --tls"],
  [
    PLAIN,
    new NetworkError("Connection closed"),
    "they hang up: does this listener want --tls, or --sasl-mechanism?",
  ],
  [
    TLS,
    coded("ECONNRESET", "Client network socket disconnected before secure TLS connection was established"),
    "they do not speak TLS at this port: name another one, or leave --tls out",
  ],
  [TLS, new NetworkError("Connection closed"), "they hang up: does this listener want --sasl-mechanism?"],
  [
    { ...PLAIN, saslMechanism: "PLAIN" },
    new NetworkError("Connection closed"),
    "they hang up: does this listener want --tls?",
  ],
  [PLAIN, coded("ECONNREFUSED", "connect ECONNREFUSED"), undefined],
])("%# says what is to be mended", (settings, cause, said) => {
  expect(refusedConnection(wrapped(cause), settings)).toBe(said);
});
