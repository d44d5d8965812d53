import {
  AppError,
  idFromBytes,
  rendezvousSeatBytes,
  type DeviceId,
  type LinkChannel,
  type LinkStep,
  type RendezvousId,
} from "#protocol";
import { encodeIdentity } from "../identity/identity.ts";
import { codeSecretBytes, writeCode } from "../identity/person-code.ts";
import {
  boxBody,
  channelPlace,
  decodeChannel,
  encodeChannel,
  openMessage,
  sealMessage,
  unboxBody,
  withChannel,
  type Channel,
} from "../linking/channel.ts";
import { LinkSession, type Said } from "../linking/session.ts";
import { wipe, type SignatureKeyPair } from "../primitives/index.ts";
import type { Handlers, WorkerContext } from "./context.ts";

const deviceIdBytes = 16;
const purpose = "link channel";

/** Linking a device, and what comes over afterwards. Keys stay in here; what people compare and what the relay carries goes out. */
export function linkHandlers(
  context: WorkerContext,
): Handlers<
  | "link.begin"
  | "link.enter"
  | "link.take"
  | "link.offerDevice"
  | "link.giveAccount"
  | "link.say"
  | "link.end"
  | "link.sealMessage"
  | "link.openMessage"
  | "link.exportBodies"
  | "link.importBodies"
> {
  const { primitives } = context.ports;
  const { ed25519, random } = primitives;

  function sessionOf(rendezvousId: RendezvousId): LinkSession {
    const session = context.links.get(rendezvousId)?.session;
    if (session === undefined) throw new AppError("link-ended");
    return session;
  }

  function keep(session: LinkSession): void {
    // One at a time of each kind: a code that is shown anew ends the one before.
    for (const [rendezvousId, { session: other }] of context.links) {
      if (other.role === session.role) context.forgetLink(rendezvousId);
    }
    context.links.set(session.rendezvousId, { session, device: null });
  }

  function channelOf(session: LinkSession): LinkChannel {
    const { history } = session.keys;
    const plain = encodeChannel({ role: session.role, key: history });
    try {
      return { sealedChannel: context.vault.sealSecret(purpose, plain), ...channelPlace(history) };
    } finally {
      wipe(plain);
    }
  }

  function openChannel<Result>(sealed: Uint8Array, use: (channel: Channel) => Result): Result {
    const plain = context.vault.openSecret(purpose, sealed);
    if (plain === undefined) throw new AppError("vault-damaged", { data: { secret: purpose } });
    try {
      return withChannel(decodeChannel(plain), use);
    } finally {
      wipe(plain);
    }
  }

  /** Takes over an account: the key that came, with the device key that was made here. */
  function takeAccount(
    session: LinkSession,
    { userId, networkId, accountPrivateKey, facts }: Extract<Said, { readonly kind: "account" }>,
  ): LinkStep {
    const device = context.links.get(session.rendezvousId)?.device ?? null;
    let plain: Uint8Array | undefined;
    try {
      if (session.role !== "joiner" || device === null) throw new AppError("link-refused");
      const { deviceId, signature } = device;
      const accountKey = ed25519.publicKeyOf(accountPrivateKey);
      const account = { privateKey: accountPrivateKey, publicKey: accountKey };
      plain = encodeIdentity({ userId, deviceId, account, signature });
      return {
        kind: "account",
        userId,
        deviceId,
        networkId,
        accountKey,
        signatureKey: signature.publicKey,
        sealedIdentity: context.vault.sealSecret("identity", plain),
        facts,
        channel: channelOf(session),
      };
    } finally {
      wipe(accountPrivateKey, plain, device?.signature.privateKey);
    }
  }

  function stepOf(session: LinkSession, said: Said): LinkStep {
    switch (said.kind) {
      case "device": {
        if (session.role !== "owner" || session.offered !== null) {
          throw new AppError("link-refused");
        }
        const { deviceId, signatureKey, deviceName, platform } = said;
        session.offered = { deviceId, signatureKey, deviceName, platform };
        return { kind: "device", device: session.offered };
      }
      case "account":
        return takeAccount(session, said);
      case "declined":
      case "done":
        return said;
    }
  }

  return {
    "link.begin": () => {
      const secret = random(codeSecretBytes);
      const code = writeCode(secret);
      const session = LinkSession.show(primitives, secret);
      keep(session);
      return { rendezvousId: session.rendezvousId, code };
    },
    "link.enter": ({ code }) => {
      const { session, message } = LinkSession.enter(primitives, code);
      keep(session);
      return { rendezvousId: session.rendezvousId, seat: random(rendezvousSeatBytes), message };
    },
    "link.take": ({ rendezvousId, message }) => {
      const session = sessionOf(rendezvousId);
      try {
        const taken = session.take(message);
        return taken.kind === "said" ? stepOf(session, taken.said) : taken;
      } catch (error) {
        context.forgetLink(rendezvousId);
        throw error;
      }
    },
    "link.offerDevice": ({ rendezvousId, deviceName, platform }) => {
      const session = sessionOf(rendezvousId);
      if (session.role !== "joiner") throw new AppError("not-ready");
      const signature: SignatureKeyPair = ed25519.generateKeyPair();
      const deviceId = idFromBytes<DeviceId>(random(deviceIdBytes));
      const { publicKey: signatureKey } = signature;
      const device = { deviceId, signatureKey, deviceName, platform };
      const message = session.say({ kind: "device", ...device });
      wipe(context.links.get(rendezvousId)?.device?.signature.privateKey);
      context.links.set(rendezvousId, { session, device: { deviceId, signature } });
      return { message };
    },
    "link.giveAccount": ({ rendezvousId, facts }) => {
      const session = sessionOf(rendezvousId);
      const { userId, networkId, account } = context.identity;
      if (session.role !== "owner" || session.offered === null) throw new AppError("not-ready");
      const message = session.say({
        kind: "account",
        userId,
        networkId,
        accountPrivateKey: account.privateKey,
        facts,
      });
      return { message, channel: channelOf(session) };
    },
    "link.say": ({ rendezvousId, word }) => ({
      message: sessionOf(rendezvousId).say({ kind: word }),
    }),
    "link.end": ({ rendezvousId }) => {
      context.forgetLink(rendezvousId);
      return {};
    },

    "link.sealMessage": ({ sealedChannel, plain }) => ({
      sealed: openChannel(sealedChannel, (channel) => sealMessage(channel, random, plain)),
    }),
    "link.openMessage": ({ sealedChannel, sealed }) => ({
      plain: openChannel(sealedChannel, (channel) => openMessage(channel, sealed)) ?? null,
    }),
    "link.exportBodies": ({ sealedChannel, items }) => ({
      boxed: openChannel(sealedChannel, (channel) =>
        items.map(({ sealed, ...item }) => {
          const plain = context.vault.openBody(item, sealed);
          if (plain === undefined) return null;
          const boxed = boxBody(channel, random, item.messageId, plain);
          wipe(plain);
          return boxed;
        }),
      ),
    }),
    "link.importBodies": ({ sealedChannel, items }) => ({
      sealed: openChannel(sealedChannel, (channel) =>
        items.map(({ boxed, ...item }) => {
          const plain = unboxBody(channel, item.messageId, boxed);
          if (plain === undefined) return null;
          const sealed = context.vault.sealBody(item, plain);
          wipe(plain);
          return sealed;
        }),
      ),
    }),
  };
}
