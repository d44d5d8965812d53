import { is } from "valibot";
import {
  conversationIdSchema,
  networkIdSchema,
  userIdSchema,
  type ConversationId,
  type NetworkId,
  type UserId,
} from "../ids.ts";

/** The URI of a person, in message ids and mentions. Source: the shape of draft-ietf-mimi-content-08 §5.1. */
export function userUri(networkId: NetworkId, userId: UserId): string {
  return `mimi://${networkId}/u/${userId}`;
}

/** The URI of a conversation, in message ids. */
export function roomUri(networkId: NetworkId, conversationId: ConversationId): string {
  return `mimi://${networkId}/r/${conversationId}`;
}

function parseUri(text: string, letter: string): readonly [string, string] | undefined {
  const match = /^mimi:\/\/([\w-]{22})\/([a-z])\/([\w-]{22})$/u.exec(text);
  const [, network, kind, id] = match ?? [];
  if (kind !== letter || network === undefined || id === undefined) return undefined;
  return [network, id];
}

/** Whose URI this is; `undefined` when it isn't a person's. */
export function parseUserUri(
  text: string,
): { readonly networkId: NetworkId; readonly userId: UserId } | undefined {
  const [networkId, userId] = parseUri(text, "u") ?? [];
  return is(networkIdSchema, networkId) && is(userIdSchema, userId)
    ? { networkId: networkId as NetworkId, userId: userId as UserId }
    : undefined;
}

/** Which conversation's URI this is; `undefined` when it isn't one's. */
export function parseRoomUri(
  text: string,
): { readonly networkId: NetworkId; readonly conversationId: ConversationId } | undefined {
  const [networkId, conversationId] = parseUri(text, "r") ?? [];
  return is(networkIdSchema, networkId) && is(conversationIdSchema, conversationId)
    ? { networkId: networkId as NetworkId, conversationId: conversationId as ConversationId }
    : undefined;
}
