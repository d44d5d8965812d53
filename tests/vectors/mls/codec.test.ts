import { describe, expect, test } from "vitest";
import { decodeMlsMessage, encodeMlsMessage, type Decoder, type Encoder } from "ts-mls";
import { determineLength } from "ts-mls/codec/variableLength.js";
import { decodeCommit, encodeCommit } from "ts-mls/commit.js";
import { decodeGroupSecrets, encodeGroupSecrets } from "ts-mls/groupSecrets.js";
import * as proposal from "ts-mls/proposal.js";
import { decodeRatchetTree, encodeRatchetTree } from "ts-mls/ratchetTree.js";
import * as treemath from "ts-mls/treemath.js";
import { toHex } from "#protocol";
import { describeVectors, fromHex } from "../../support/vectors.ts";
import { decodeAll } from "./support.ts";

interface LengthVector {
  readonly vlbytes_header: string;
  readonly length: number;
}

type MessagesVector = Readonly<Record<string, string>>;

interface TreeMathVector {
  readonly n_leaves: number;
  readonly n_nodes: number;
  readonly root: number;
  readonly left: readonly (number | null)[];
  readonly right: readonly (number | null)[];
  readonly parent: readonly (number | null)[];
  readonly sibling: readonly (number | null)[];
}

function roundTrip<Value>(decode: Decoder<Value>, encode: Encoder<Value>): (hex: string) => string {
  return (hex) => toHex(encode(decodeAll(decode, fromHex(hex))));
}

const message = roundTrip(decodeMlsMessage, encodeMlsMessage);

/** How each field of `messages.json` decodes and encodes again. */
const roundTrips: Readonly<Record<string, (hex: string) => string>> = {
  mls_welcome: message,
  mls_group_info: message,
  mls_key_package: message,
  public_message_application: message,
  public_message_proposal: message,
  public_message_commit: message,
  private_message: message,
  ratchet_tree: roundTrip(decodeRatchetTree, encodeRatchetTree),
  group_secrets: roundTrip(decodeGroupSecrets, encodeGroupSecrets),
  commit: roundTrip(decodeCommit, encodeCommit),
  add_proposal: roundTrip(proposal.decodeAdd, proposal.encodeAdd),
  update_proposal: roundTrip(proposal.decodeUpdate, proposal.encodeUpdate),
  remove_proposal: roundTrip(proposal.decodeRemove, proposal.encodeRemove),
  pre_shared_key_proposal: roundTrip(proposal.decodePSK, proposal.encodePSK),
  re_init_proposal: roundTrip(proposal.decodeReinit, proposal.encodeReinit),
  external_init_proposal: roundTrip(proposal.decodeExternalInit, proposal.encodeExternalInit),
  group_context_extensions_proposal: roundTrip(
    proposal.decodeGroupContextExtensions,
    proposal.encodeGroupContextExtensions,
  ),
};

describeVectors("mls/deserialization.json", (vectors) => {
  test("every variable-length header is read as written", () => {
    for (const { vlbytes_header, length } of vectors as readonly LengthVector[]) {
      expect(determineLength(fromHex(vlbytes_header)).length).toBe(length);
    }
  });
});

describeVectors("mls/messages.json", (vectors) => {
  const files = vectors as readonly MessagesVector[];

  test("has only structures that this test knows", () => {
    expect(Object.keys(files[0] ?? {}).sort()).toEqual(Object.keys(roundTrips).sort());
  });

  describe.each(Object.entries(roundTrips))("%s", (field, again) => {
    test("decodes and encodes to the same bytes, every time", () => {
      for (const vector of files) {
        const hex = vector[field] ?? "";
        expect(again(hex)).toBe(hex);
      }
    });
  });
});

describeVectors("mls/tree-math.json", (vectors) => {
  test("nodes have the parents, children and siblings that they should", () => {
    const orNull = (compute: () => number): number | null => {
      try {
        return compute();
      } catch {
        return null;
      }
    };
    for (const vector of vectors as readonly TreeMathVector[]) {
      expect(treemath.nodeWidth(vector.n_leaves)).toBe(vector.n_nodes);
      expect(treemath.root(vector.n_leaves)).toBe(vector.root);
      for (let at = 0; at < vector.n_nodes; at++) {
        const node = treemath.toNodeIndex(at);
        expect(orNull(() => treemath.left(node))).toBe(vector.left[at]);
        expect(orNull(() => treemath.right(node))).toBe(vector.right[at]);
        expect(orNull(() => treemath.parent(node, vector.n_leaves))).toBe(vector.parent[at]);
        expect(orNull(() => treemath.sibling(node, vector.n_leaves))).toBe(vector.sibling[at]);
      }
    }
  });
});
