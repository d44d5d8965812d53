import * as v from "valibot";
import { conversationIdSchema, inviteIdSchema, messageIdSchema, userIdSchema } from "../ids.ts";
import { countSchema, nameSchema } from "../schema.ts";
import { timersSchema } from "../timers.ts";
import type { ConversationId, MessageId } from "../ids.ts";
import type {
  AboutView,
  AppView,
  ConversationRowView,
  ConversationView,
  DeviceView,
  InvitePreviewView,
  InviteView,
  MessageInfoView,
  MessagePageView,
  MessageView,
  PersonDetailsView,
  SettingsView,
} from "./views.ts";

/** Largest IPC message from the interface, bytes of its JSON text. */
export const maxIpcBytes = 256 * 1024;
/** Longest message a person can send, UTF-16 code units. */
export const maxMessageLength = 20_000;
/** Most messages in one page. */
export const maxPageMessages = 200;

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
  "vault.unlock": command(v.strictObject({ passphrase: passphraseSchema })),

  "conversations.list": giving<readonly ConversationRowView[]>()(nothing),
  /** Opens a conversation: `conversation.changed` and `messages.changed` follow until `conversation.close`. */
  "conversation.open": giving<{
    readonly conversation: ConversationView;
    readonly page: MessagePageView;
  }>()(v.strictObject(conversation)),
  "conversation.close": command(v.strictObject(conversation)),
  "conversation.loadEarlier": giving<MessagePageView>()(
    v.strictObject({
      ...conversation,
      beforeOrder: countSchema,
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
  "invites.list": giving<readonly InviteView[]>()(nothing),
  "invites.create": giving<{ readonly link: string; readonly invite: InviteView }>()(
    v.strictObject({
      lifetimeSeconds: v.pipe(countSchema, v.minValue(60), v.maxValue(2_592_000)),
      uses: v.pipe(countSchema, v.minValue(1), v.maxValue(1000)),
    }),
  ),
  "invites.revoke": command(v.strictObject({ inviteId: inviteIdSchema })),
  "devices.list": giving<readonly DeviceView[]>()(nothing),
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
