import {
  encodeRequiredCapabilities,
  type Extension,
  type LeafNode,
  type RatchetTree,
} from "ts-mls";
import {
  AppError,
  decodeRoomState,
  encodeRoomState,
  equalBytes,
  roomStateExtensionType,
  type RoomState,
  type UserId,
} from "#protocol";
import { leafIdentityOf, type LeafIdentity } from "./credential.ts";

const requiredCapabilities: Extension = {
  extensionType: "required_capabilities",
  extensionData: encodeRequiredCapabilities({
    extensionTypes: [roomStateExtensionType],
    proposalTypes: [],
    credentialTypes: ["basic"],
  }),
};

/** The GroupContext extensions of a conversation: that everybody must understand its state, and the state. */
export function roomExtensions(roomState: RoomState): Extension[] {
  return [
    requiredCapabilities,
    { extensionType: roomStateExtensionType, extensionData: encodeRoomState(roomState) },
  ];
}

/**
 * Reads a conversation's state from its GroupContext extensions, which must be exactly those of {@link roomExtensions}.
 *
 * @throws AppError `commit-refused`, `frame-malformed`
 */
export function roomStateOf(extensions: readonly Extension[]): RoomState {
  const [required, room, ...others] = extensions;
  if (
    required?.extensionType !== "required_capabilities" ||
    !equalBytes(required.extensionData, requiredCapabilities.extensionData) ||
    room?.extensionType !== roomStateExtensionType ||
    others.length > 0
  ) {
    throw new AppError("commit-refused", { data: { reason: "foreign group extensions" } });
  }
  return decodeRoomState(room.extensionData);
}

/** A member with their place in the tree. */
export interface Leaf extends LeafIdentity {
  readonly leafIndex: number;
  readonly leafNode: LeafNode;
}

/**
 * The member at a place in a ratchet tree.
 *
 * @throws AppError `frame-malformed` when the leaf has a foreign credential
 */
export function leafOf(tree: RatchetTree, leafIndex: number): Leaf | undefined {
  const node = tree[2 * leafIndex];
  if (node?.nodeType !== "leaf") return undefined;
  return { ...leafIdentityOf(node.leaf.credential), leafIndex, leafNode: node.leaf };
}

/**
 * Everybody in a ratchet tree, by leaf index.
 *
 * @throws AppError `frame-malformed` when a leaf has a foreign credential
 */
export function leavesOf(tree: RatchetTree): ReadonlyMap<number, Leaf> {
  const leaves = new Map<number, Leaf>();
  for (let leafIndex = 0; 2 * leafIndex < tree.length; leafIndex++) {
    const leaf = leafOf(tree, leafIndex);
    if (leaf !== undefined) leaves.set(leafIndex, leaf);
  }
  return leaves;
}

/**
 * The people who have a leaf, each once, by their first leaf.
 *
 * @param gone - leaves that don't count
 */
export function peopleAmong(
  leaves: ReadonlyMap<number, Leaf>,
  gone: ReadonlySet<number> = new Set(),
): readonly UserId[] {
  const stay = [...leaves.values()].filter(({ leafIndex }) => !gone.has(leafIndex));
  return [...new Set(stay.map(({ userId }) => userId))];
}
