import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { heardError } from "../../pool/guests/guest-messages.ts";
import { type EdgeAnswers, type EdgeQuestion, type Talk, toldFailure } from "./edge-messages.ts";

/** Answers a question of the other side. */
export type Answerer = (question: EdgeQuestion) => Promise<EdgeAnswers[EdgeQuestion["kind"]]>;

interface Open {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Questions and answers between two threads; each side has one. Its closer is `end`. */
export class Conversation {
  private readonly send: (talk: Talk) => void;
  private readonly answerer: Answerer;
  private readonly open = new Map<number, Open>();
  private lastId = 0;
  private ended: AssayError | undefined = undefined;

  constructor(send: (talk: Talk) => void, answerer: Answerer) {
    this.send = send;
    this.answerer = answerer;
  }

  /** Rejects with what the other side refused with, or with what `end` says. */
  ask<Q extends EdgeQuestion>(question: Q): Promise<EdgeAnswers[Q["kind"]]> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) {
        reject(this.ended);
        return;
      }
      const id = ++this.lastId;
      this.open.set(id, { resolve: resolve as Open["resolve"], reject });
      this.send({ kind: "ask", id, question });
    });
  }

  /** Takes a message; false where it is none of a conversation. */
  hear(message: { readonly kind: string }): boolean {
    const talk = message as Talk;
    switch (talk.kind) {
      case "ask":
        void this.answer(talk.id, talk.question);
        return true;
      case "answer":
      case "refusal": {
        const open = this.open.get(talk.id);
        this.open.delete(talk.id);
        if (talk.kind === "answer") open?.resolve(talk.value);
        else open?.reject(heardError(talk));
        return true;
      }
      default:
        return false;
    }
  }

  /** The other side has gone: what is open is rejected. */
  end(why: string): void {
    this.ended = new AssayError(Reason.INTERNAL, why);
    for (const { reject } of this.open.values()) reject(this.ended);
    this.open.clear();
  }

  private async answer(id: number, question: EdgeQuestion): Promise<void> {
    try {
      this.send({ kind: "answer", id, value: await this.answerer(question) });
    } catch (error) {
      this.send({ kind: "refusal", id, ...toldFailure(error) });
    }
  }
}
