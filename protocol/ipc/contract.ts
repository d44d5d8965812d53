import * as v from "valibot";
import {
  conversationIdSchema,
  deviceIdSchema,
  inviteIdSchema,
  messageIdSchema,
  userIdSchema,
} from "../ids.ts";
import { policyChangeSchema } from "../policy.ts";
import { countSchema, nameSchema } from "../schema.ts";
import { timersSchema } from "../timers.ts";
import type { ConversationId, MessageId } from "../ids.ts";
import type { CodeVerdict } from "../worker/data.ts";
import type {
  AboutView,
  AppView,
  ConversationRowView,
  ConversationView,
  DeviceView,
  InvitePreviewView,
  InviteView,
  LinkView,
  MessageInfoView,
  MessagePageView,
  MessageView,
  MessageWindowView,
  PersonDetailsView,
  ProtectionView,
  SearchProgressView,
  SearchResultsView,
  SettingsView,
  StorageView,
  VerificationView,
} from "./views.ts";

/** Largest IPC message from the interface, bytes of its JSON text. */
export const maxIpcBytes = 256 * 1024;
/** Longest message a person can send, UTF-16 code units. */
export const maxMessageLength = 20_000;
/** Most messages in one page. */
export const maxPageMessages = 200;
/** What a person types to have a vault erased, so that nobody does it by mistake. */
export const erasePhrase = "erase everything";

const nothing = v.strictObject({});
const conversation = { conversationId: conversationIdSchema };
const message = { conversationId: conversationIdSchema, messageId: messageIdSchema };
const passphraseSchema = v.pipe(v.string(), v.maxLength(1024));
const textSchema = v.pipe(v.string(), v.maxLength(maxMessageLength));
const peopleSchema = v.pipe(
  v.array(userIdSchema),
  v.minLength(1),
  v.maxLength(1000),
  v.check((people) => new Set(people).size === people.length, "somebody is named twice"),
);
const emojiSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(32));

/** One command of the interface: what it takes (parsed in the main process) and what it gives. */
interface Command<Result> {
  readonly params: v.GenericSchema<unknown, unknown>;
  /** Carries the result's type only. */
  readonly result?: Result;
}

/** A command that gives nothing. */
function command<S extends v.GenericSchema<unknown, unknown>>(
  params: S,
): { readonly params: S; readonly result?: null } {
  return { params };
}

/** A command that gives a `Result`. */
function giving<Result>() {
  return <S extends v.GenericSchema<unknown, unknown>>(
    params: S,
  ): { readonly params: S; readonly result?: Result } => ({ params });
}

/** Every command, by intent. A failure crosses as `WireError`. */
export const commands = {
  "app.get": giving<AppView>()(nothing),
  /** Tries again what failed at start (keychain, vault). */
  "app.retry": command(nothing),
  /** Goes on with a damaged vault after the person has seen that it is: for reading only. */
  "app.openReadOnly": command(nothing),
  "app.quit": command(nothing),
  "about.get": giving<AboutView>()(nothing),

  /** First run: a relay in this app and a network of which this person is administrator. */
  "profile.host": command(
    v.strictObject({
      networkName: nameSchema,
      displayName: nameSchema,
      /** Needed when no keychain is available. */
      passphrase: v.nullable(passphraseSchema),
    }),
  ),
  "profile.join": command(
    v.strictObject({
      link: v.pipe(v.string(), v.maxLength(4096)),
      displayName: nameSchema,
      passphrase: v.nullable(passphraseSchema),
    }),
  ),
  "invite.inspect": giving<InvitePreviewView>()(
    v.strictObject({ link: v.pipe(v.string(), v.maxLength(4096)) }),
  ),
  /** First run: into the account of another device, which shows `link`. Resolves when it is done; the phase is `linking` meanwhile. */
  "profile.link": command(
    v.strictObject({
      link: v.pipe(v.string(), v.maxLength(4096)),
      passphrase: v.nullable(passphraseSchema),
    }),
  ),
  /** What the person says of the symbols. */
  "profile.linkCompared": command(v.strictObject({ match: v.boolean() })),
  "profile.linkCancel": command(nothing),
  // Lock and unlock. A wrong try takes longer each time; when the network's policy says so, the last one destroys the vault's slots.
  "vault.unlock": command(v.strictObject({ passphrase: passphraseSchema })),
  "vault.unlockWithCode": command(v.strictObject({ code: v.pipe(v.string(), v.maxLength(128)) })),
  /** Drops every key and the databases in memory. */
  "vault.lock": command(nothing),
  /** Destroys the vault's slots and files; from a locked or problem page, when nothing else helps. The phrase is {@link erasePhrase}. */
  "vault.erase": command(v.strictObject({ phrase: v.literal(erasePhrase) })),

  // What protects this computer's vault (settings, "Privacy and lock").
  "protection.get": giving<ProtectionView>()(nothing),
  /** Turns the app lock on, or changes its passphrase. `current` may be null when it is off, and after the recovery code has opened the vault. */
  "protection.setPassphrase": command(
    v.strictObject({ passphrase: passphraseSchema, current: v.nullable(passphraseSchema) }),
  ),
  "protection.removePassphrase": command(v.strictObject({ current: passphraseSchema })),
  "protection.configureLock": command(
    v.strictObject({
      /** null: never by itself. */
      idleMinutes: v.nullable(v.pipe(countSchema, v.minValue(1), v.maxValue(24 * 60))),
      onOsLock: v.boolean(),
      onSuspend: v.boolean(),
    }),
  ),
  /** The code is shown once, and replaces an earlier one. `current` as in `protection.setPassphrase`: who finds Sotto open gets no key of their own. */
  "protection.createRecoveryCode": giving<{ readonly code: string }>()(
    v.strictObject({ current: v.nullable(passphraseSchema) }),
  ),
  "protection.removeRecoveryCode": command(
    v.strictObject({ current: v.nullable(passphraseSchema) }),
  ),
  /** Writes the vault's key to the keychain anew: its entry is missing, foreign, or behind. A vault without a keychain slot gets one. */
  "protection.renewKeychain": command(nothing),

  "storage.get": giving<StorageView>()(nothing),
  "storage.compact": command(nothing),

  /** Newest first. Filters may stand in `query`: `from:` `in:` `has:` `before:` `after:`. */
  "search.find": giving<SearchResultsView>()(
    v.strictObject({
      query: v.pipe(v.string(), v.maxLength(500)),
      /** null: everywhere. */
      conversationId: v.nullable(conversationIdSchema),
      /** As the answer before gave it; null: from the newest. */
      before: v.nullable(v.pipe(v.string(), v.maxLength(100))),
      limit: v.pipe(countSchema, v.minValue(1), v.maxValue(maxPageMessages)),
    }),
  ),

  "conversations.list": giving<readonly ConversationRowView[]>()(nothing),
  /** Opens a conversation: `conversation.changed` and `messages.changed` follow until `conversation.close`. */
  "conversation.open": giving<{
    readonly conversation: ConversationView;
    readonly page: MessagePageView;
  }>()(v.strictObject(conversation)),
  /** As `conversation.open`, with the page around a message. Errors: `not-found` when it has ended. */
  "conversation.openAt": giving<{
    readonly conversation: ConversationView;
    readonly page: MessageWindowView;
  }>()(v.strictObject(message)),
  "conversation.close": command(v.strictObject(conversation)),
  "conversation.loadEarlier": giving<MessagePageView>()(
    v.strictObject({
      ...conversation,
      beforeOrder: countSchema,
      limit: v.pipe(countSchema, v.minValue(1), v.maxValue(maxPageMessages)),
    }),
  ),
  /** What follows after a page of `conversation.openAt` that doesn't reach to the end. */
  "conversation.loadLater": giving<MessageWindowView>()(
    v.strictObject({
      ...conversation,
      afterOrder: countSchema,
      limit: v.pipe(countSchema, v.minValue(1), v.maxValue(maxPageMessages)),
    }),
  ),
  /** For a direct conversation that is there already, gives that one. */
  "conversation.create": giving<{ readonly conversationId: ConversationId }>()(
    v.strictObject({
      kind: v.picklist(["direct", "group", "room"]),
      people: peopleSchema,
      name: v.union([v.literal(""), nameSchema]),
      timers: v.nullable(timersSchema),
    }),
  ),
  "conversation.rename": command(v.strictObject({ ...conversation, name: nameSchema })),
  "conversation.setTimers": command(v.strictObject({ ...conversation, timers: timersSchema })),
  "conversation.addMembers": command(v.strictObject({ ...conversation, people: peopleSchema })),
  "conversation.removeMember": command(v.strictObject({ ...conversation, userId: userIdSchema })),
  "conversation.setRole": command(
    v.strictObject({
      ...conversation,
      userId: userIdSchema,
      role: v.picklist(["administrator", "member"]),
    }),
  ),
  /**
   * Joins it anew by the word of the person whom `ConversationView.unvouched` names, this once. Errors: `voucher-changed` when it is somebody else
   * by now, `conversation-over` when this device isn't in it any more; then nothing is joined.
   */
  "conversation.joinByWord": command(v.strictObject({ ...conversation, userId: userIdSchema })),
  "conversation.leave": command(v.strictObject(conversation)),
  /** Removes it and all its messages from this account; only after leaving, or for a direct one. */
  "conversation.delete": command(v.strictObject(conversation)),
  "conversation.setPinned": command(v.strictObject({ ...conversation, pinned: v.boolean() })),
  "conversation.setMuted": command(v.strictObject({ ...conversation, muted: v.boolean() })),
  "conversation.saveDraft": command(v.strictObject({ ...conversation, text: textSchema })),
  /** This person has seen everything up to `order`: read receipts go out, burn-on-read starts for uncovered messages. */
  "conversation.markRead": command(v.strictObject({ ...conversation, order: countSchema })),

  "message.send": giving<{ readonly messageId: MessageId }>()(
    v.strictObject({
      ...conversation,
      text: v.pipe(
        textSchema,
        v.check((text) => text.trim() !== ""),
      ),
      replyTo: v.nullable(messageIdSchema),
      /** null: the conversation's. */
      timers: v.nullable(timersSchema),
    }),
  ),
  "message.edit": command(
    v.strictObject({
      ...message,
      text: v.pipe(
        textSchema,
        v.check((text) => text.trim() !== ""),
      ),
    }),
  ),
  "message.react": command(v.strictObject({ ...message, emoji: emojiSchema, on: v.boolean() })),
  "message.recall": command(v.strictObject(message)),
  "message.deleteForMe": command(v.strictObject(message)),
  /** Uncovers a burn-on-read message and starts its burning. */
  "message.reveal": command(v.strictObject(message)),
  "message.retry": command(v.strictObject(message)),
  "message.info": giving<MessageInfoView>()(v.strictObject(message)),

  "people.list": giving<readonly PersonDetailsView[]>()(nothing),
  /**
   * Suspends a person, or lifts that: their devices leave every conversation. For administrators, on the computer that has the network's key.
   * Errors: `not-allowed`, `network-key-missing`.
   */
  "network.suspend": command(v.strictObject({ userId: userIdSchema, suspended: v.boolean() })),
  /**
   * Changes what is named of the network's policy, for everybody. For administrators, on the computer that has the network's key.
   * Errors: `not-allowed`, `network-key-missing`.
   */
  "network.setPolicy": command(policyChangeSchema),
  // Comparing keys. Kept in this vault alone.
  "verification.get": giving<VerificationView>()(v.strictObject({ userId: userIdSchema })),
  /** What a code says that was read from a picture. */
  "verification.compare": giving<{ readonly verdict: CodeVerdict }>()(
    v.strictObject({ userId: userIdSchema, code: v.pipe(v.string(), v.maxLength(4096)) }),
  ),
  /**
   * Their key is verified, or, with `how` null, taken without. `digits` as they were shown: about another key than that nothing is decided.
   * Errors: `safety-number-changed`.
   */
  "verification.accept": command(
    v.strictObject({
      userId: userIdSchema,
      digits: v.pipe(v.string(), v.regex(/^\d{60}$/u)),
      how: v.nullable(v.picklist(["digits", "code"])),
    }),
  ),
  /** Takes "verified" back. */
  "verification.clear": command(v.strictObject({ userId: userIdSchema })),
  /** The person has read a notice about their own account or the directory. */
  "verification.dismiss": command(
    v.variant("kind", [
      v.strictObject({ kind: v.picklist(["own-key", "relay-objections", "directory-behind"]) }),
      v.strictObject({ kind: v.literal("own-device"), deviceId: deviceIdSchema }),
    ]),
  ),
  "invites.list": giving<readonly InviteView[]>()(nothing),
  "invites.create": giving<{ readonly link: string; readonly invite: InviteView }>()(
    v.strictObject({
      lifetimeSeconds: v.pipe(countSchema, v.minValue(60), v.maxValue(2_592_000)),
      uses: v.pipe(countSchema, v.minValue(1), v.maxValue(1000)),
    }),
  ),
  "invites.revoke": command(v.strictObject({ inviteId: inviteIdSchema })),
  "devices.list": giving<readonly DeviceView[]>()(nothing),
  "devices.rename": command(v.strictObject({ deviceId: deviceIdSchema, deviceName: nameSchema })),
  /** Takes a device out of the account, for ever; not the one this runs on. */
  "devices.remove": command(v.strictObject({ deviceId: deviceIdSchema })),
  // "Add a computer", at the device that is there already: `link.changed` follows.
  "link.get": giving<LinkView>()(nothing),
  "link.show": command(nothing),
  "link.match": command(v.strictObject({ history: v.boolean() })),
  "link.differ": command(nothing),
  /** Ends what is under way, and forgets what is shown. */
  "link.cancel": command(nothing),
  "settings.set": giving<SettingsView>()(
    // Left out or set, never undefined: what isn't named stays.
    v.strictObject({
      theme: v.exactOptional(v.picklist(["system", "light", "dark", "high-contrast"])),
      textScale: v.exactOptional(v.pipe(v.number(), v.minValue(0.8), v.maxValue(2))),
      closeToTray: v.exactOptional(v.boolean()),
      notifications: v.exactOptional(v.boolean()),
    }),
  ),
} as const satisfies Readonly<Record<string, Command<unknown>>>;

/** The name of a command. */
export type CommandName = keyof typeof commands;
/** What a command takes, as the interface gives it. */
export type CommandParams<Name extends CommandName> = v.InferInput<
  (typeof commands)[Name]["params"]
>;
/** What a command takes, parsed. */
export type ParsedCommandParams<Name extends CommandName> = v.InferOutput<
  (typeof commands)[Name]["params"]
>;
/** What a command gives; null where it gives nothing. */
export type CommandResult<Name extends CommandName> =
  NonNullable<(typeof commands)[Name]["result"]> extends infer Result
    ? [Result] extends [never]
      ? null
      : Result
    : never;

/** What the main process tells the interface by itself. */
export interface Events {
  readonly "app.changed": AppView;
  readonly "conversations.changed": readonly ConversationRowView[];
  readonly "conversation.changed": ConversationView;
  /** For an open conversation: new and changed messages, and those that are gone. */
  readonly "messages.changed": {
    readonly conversationId: ConversationId;
    readonly upserted: readonly MessageView[];
    readonly removed: readonly MessageId[];
  };
  readonly "people.changed": null;
  /** "Add a computer", at the device that is there already. */
  readonly "link.changed": LinkView;
  /** How far the index of the search has come. */
  readonly "search.progress": SearchProgressView;
  /** A notification was clicked, or a link opened: show this. */
  readonly "app.show":
    | { readonly kind: "conversation"; readonly conversationId: ConversationId }
    | { readonly kind: "invite"; readonly link: string };
}

/** The name of an event. */
export type EventName = keyof Events;

/** Names of all events, for the preload and for checks. */
export const eventNames = [
  "app.changed",
  "conversations.changed",
  "conversation.changed",
  "messages.changed",
  "people.changed",
  "link.changed",
  "search.progress",
  "app.show",
] as const satisfies readonly EventName[];

/** The platform as the interface sees it: Electron's preload bridge, or the preview's WebSocket. */
export interface Runtime {
  /** @throws AppError */
  invoke<Name extends CommandName>(
    name: Name,
    params: CommandParams<Name>,
  ): Promise<CommandResult<Name>>;
  /** @returns a disposer */
  on<Name extends EventName>(name: Name, listener: (body: Events[Name]) => void): () => void;
  readonly platform: "darwin" | "win32" | "linux";
}
