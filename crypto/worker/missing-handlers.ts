import { AppError } from "#protocol";
import { createAnswerKey, openAnswer, sealAnswer } from "../mls/sealed-answers.ts";
import { wipe } from "../primitives/index.ts";
import type { Handlers, WorkerContext } from "./context.ts";

/** What is said again to one device alone (docs/adr/0023). */
export function missingHandlers(
  context: WorkerContext,
): Handlers<"missing.makeKey" | "missing.sealAnswer" | "missing.openAnswer"> {
  return {
    "missing.makeKey": async ({ conversationId, suite }) => {
      const { publicKey, privateKey } = await createAnswerKey(await context.implOf(suite));
      try {
        const sealedPrivate = context.vault.sealSecret(purposeOf(conversationId), privateKey);
        return { publicKey, sealedPrivate };
      } finally {
        wipe(privateKey);
      }
    },
    "missing.sealAnswer": async ({ conversationId, suite, requester, publicKey, plain }) => {
      try {
        const way = { conversationId, answerer: context.identity.deviceId, requester };
        return { sealed: await sealAnswer(await context.implOf(suite), way, publicKey, plain) };
      } finally {
        wipe(plain);
      }
    },
    "missing.openAnswer": async ({ conversationId, suite, answerer, sealedPrivate, ...sealed }) => {
      const way = { conversationId, answerer, requester: context.identity.deviceId };
      const impl = await context.implOf(suite);
      const privateKey = context.vault.openSecret(purposeOf(conversationId), sealedPrivate);
      if (privateKey === undefined) {
        throw new AppError("vault-damaged", { data: { secret: "answer key" } });
      }
      try {
        return { plain: await openAnswer(impl, way, privateKey, sealed) };
      } finally {
        wipe(privateKey);
      }
    },
  };
}

const purposeOf = (conversationId: string): string => `answer key ${conversationId}`;
