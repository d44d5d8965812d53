// Compiler options of every Svelte file: bundle, unit tests and svelte-check.

/** @type {import("svelte/compiler").CompileOptions} */
export const compilerOptions = {
  runes: true,
  // Styles put in by script would need 'unsafe-inline' in the CSP: they go to a file instead.
  css: "external",
};

export default { compilerOptions };
