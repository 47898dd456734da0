import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HTTP2_ENGINES } from "../../reference/http2-engines.ts";
import {
  type LoadedMessage,
  type LoadedScoringClient,
  loadScoringClient,
  predict,
} from "../../support/clients/grpc-js-client.ts";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";

const iris = { model_name: "iris", features: [5.1, 3.5, 1.4, 0.2] };

describe.each(HTTP2_ENGINES)("grpc-js against the %s engine", (http2Engine) => {
  let server: AppServer;
  let client: LoadedScoringClient;
  beforeAll(async () => {
    server = await startAppServer("models", {}, { http2Engine });
    client = loadScoringClient(server.address);
  });
  afterAll(async () => {
    client.close();
    await server.app.close();
  });

  test("a client that loads the .proto itself scores a row", async () => {
    const response = await predict(client, { ...iris, request_id: "a" });
    expect(response).toMatchObject({
      model_name: "iris",
      model_version: "1",
      request_id: "a",
      labels: ["setosa"],
    });
  });

  test("a violation is INVALID_ARGUMENT with its details in the trailers", async () => {
    const error = await predict(client, { model_name: "iris", features: [1, 2] }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'features: 2 features came; "features" takes 4',
    });
    const { metadata } = error as { metadata: { get(key: string): Buffer[] } };
    expect(metadata.get("grpc-status-details-bin")[0]?.toString("latin1")).toContain("signature.too_few");
  });

  test("a bidi stream answers in order and goes on after a bad item", async () => {
    const stream = client.PredictStream();
    const answers: LoadedMessage[] = [];
    for (let i = 0; i < 100; i++) {
      stream.write({ item_id: i, request: i === 50 ? { model_name: "iris", features: [1] } : iris });
    }
    stream.end();
    for await (const answer of stream) answers.push(answer as LoadedMessage);
    expect(answers.map((answer) => Number(answer.item_id))).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(answers[50]).toMatchObject({ status: { code: status.INVALID_ARGUMENT } });
    expect(
      answers.filter((answer) => answer.response !== undefined && answer.response !== null),
    ).toHaveLength(99);
  });

  test("a list of rows is answered as a stream", async () => {
    const items = [0, 1, 2].map((item_id) => ({ item_id, request: iris }));
    const answers: LoadedMessage[] = [];
    for await (const answer of client.PredictRows({ items })) answers.push(answer as LoadedMessage);
    expect(answers.map((answer) => answer.item_id)).toEqual(["0", "1", "2"]);
  });

  test("a deadline in the past is DEADLINE_EXCEEDED and the next call works", async () => {
    const late = predict(client, iris, { deadline: Date.now() - 1 });
    await expect(late).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    expect(await predict(client, iris)).toMatchObject({ labels: ["setosa"] });
  });
});
