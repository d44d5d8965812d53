import { expect, test } from "vitest";
import { verifyParentHashes } from "ts-mls/parentHash.js";
import { verifyLeafNodeSignature } from "ts-mls/leafNode.js";
import { decodeProposal } from "ts-mls/proposal.js";
import {
  addLeafNode,
  decodeRatchetTree,
  encodeRatchetTree,
  removeLeafNode,
  resolution,
  updateLeafNode,
} from "ts-mls/ratchetTree.js";
import { treeHash, treeHashRoot } from "ts-mls/treeHash.js";
import { nodeToLeafIndex, toLeafIndex, toNodeIndex } from "ts-mls/treemath.js";
import type { Proposal, RatchetTree } from "ts-mls";
import { toHex } from "#protocol";
import { describeVectors, fromHex } from "../../support/vectors.ts";
import { decodeAll, runnable, type SuiteVector } from "./support.ts";

interface OperationVector extends SuiteVector {
  readonly proposal: string;
  readonly proposal_sender: number;
  readonly tree_before: string;
  readonly tree_after: string;
  readonly tree_hash_before: string;
  readonly tree_hash_after: string;
}

interface ValidationVector extends SuiteVector {
  readonly tree: string;
  readonly group_id: string;
  readonly tree_hashes: readonly string[];
  readonly resolutions: readonly (readonly number[])[];
}

function applied(tree: RatchetTree, proposal: Proposal, sender: number): RatchetTree {
  switch (proposal.proposalType) {
    case "add":
      return addLeafNode(tree, proposal.add.keyPackage.leafNode)[0];
    case "update":
      return updateLeafNode(tree, proposal.update.leafNode, toLeafIndex(sender));
    case "remove":
      return removeLeafNode(tree, toLeafIndex(proposal.remove.removed));
    default:
      throw new Error("the vector's proposal changes no tree");
  }
}

describeVectors("mls/tree-operations.json", (vectors) => {
  test.each(runnable(vectors as readonly OperationVector[]))("$title", async ({ vector, impl }) => {
    const before = decodeAll(decodeRatchetTree, fromHex(vector.tree_before));
    expect(toHex(await treeHashRoot(before, impl.hash))).toBe(vector.tree_hash_before);
    const proposal = decodeAll(decodeProposal, fromHex(vector.proposal));
    const after = applied(before, proposal, vector.proposal_sender);
    expect(toHex(encodeRatchetTree(after))).toBe(vector.tree_after);
    expect(toHex(await treeHashRoot(after, impl.hash))).toBe(vector.tree_hash_after);
  });
});

describeVectors("mls/tree-validation.json", (vectors) => {
  test.each(runnable(vectors as readonly ValidationVector[]))(
    "$title",
    async ({ vector, impl }) => {
      const tree = decodeAll(decodeRatchetTree, fromHex(vector.tree));
      const groupId = fromHex(vector.group_id);
      for (const [at, node] of tree.entries()) {
        const nodeIndex = toNodeIndex(at);
        expect(resolution(tree, nodeIndex)).toEqual(vector.resolutions[at]);
        expect(toHex(await treeHash(tree, nodeIndex, impl.hash))).toBe(vector.tree_hashes[at]);
        if (node?.nodeType !== "leaf") continue;
        const leafIndex = nodeToLeafIndex(nodeIndex);
        const valid = verifyLeafNodeSignature(node.leaf, groupId, leafIndex, impl.signature);
        expect(await valid).toBe(true);
      }
      expect(await verifyParentHashes(tree, impl.hash)).toBe(true);
    },
  );
});
