import type { Environment } from "vitest/runtime";

/** Plain Node, but with modules compiled as for a browser: rune state reacts as it does in the app. */
export default {
  name: "svelte-node",
  viteEnvironment: "client",
  setup: () => ({ teardown: () => undefined }),
} satisfies Environment;
