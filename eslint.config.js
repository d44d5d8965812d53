// Lint rules for the whole repository. What the compiler can hold (which folder sees which) is held by
// the project references in tsconfig.json; here stand the finer walls and the rules of style.md.
import eslint from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import tseslint from "typescript-eslint";

const defaultExports = {
  selector: "ExportDefaultDeclaration",
  message: "No default exports (style.md §4): a name makes every use findable.",
};
const anonymousReexports = {
  selector: "ExportAllDeclaration",
  message: "Re-export by name (style.md §2): index.ts is the folder's public list.",
};
const syntaxRules = ["error", defaultExports, anonymousReexports];

const electronModule = {
  name: "electron",
  message:
    "Only electron/shell/ and the entry files may import electron: the engine is plain Node.",
};
const nodeCrypto = ["crypto", "node:crypto"].map((name) => ({
  name,
  message: "Only crypto/primitives/ may import node:crypto (architecture.md §3).",
}));
const quickComparison = {
  name: "#protocol",
  importNames: ["equalBytes"],
  message: "What is compared here is secret or made from secrets: equalConstantTime.",
};
const bareNode = {
  regex:
    "^(assert|buffer|child_process|events|fs|http|https|net|os|path|stream|url|util|worker_threads)(/|$)",
  message: "Write built-in modules with the prefix node:.",
};
const deepSiblings = {
  regex: "^(\\.\\./)+(protocol|crypto|relay|electron|renderer|build|tests)(/|$)",
  message: "Folders meet only through #protocol (architecture.md §1).",
};
const deepProtocol = {
  regex: "^#protocol/.*(internal)/",
  message: "internal/ belongs to its folder (style.md §2).",
};

/** The import rule of one area; a later block replaces an earlier one whole, so each lists everything. */
function imports(paths, patterns = [deepSiblings]) {
  return {
    "@typescript-eslint/no-restricted-imports": [
      "error",
      { paths, patterns: [bareNode, deepProtocol, ...patterns] },
    ],
  };
}

export default tseslint.config(
  {
    ignores: [
      "node_modules/",
      "dist/",
      "release/",
      ".tsbuild/",
      "coverage/",
      "test-results/",
      "playwright-report/",
      ".cache/",
      "docs/",
    ],
  },
  {
    linterOptions: {
      reportUnusedDisableDirectives: "error",
      reportUnusedInlineConfigs: "error",
    },
  },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  svelte.configs.recommended,
  svelte.configs.prettier,
  {
    files: ["**/*.ts", "**/*.svelte"],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: [".svelte"],
      },
    },
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      "no-eval": "error",
      "no-new-func": "error",
      "no-restricted-syntax": syntaxRules,
      "object-shorthand": "error",
      "prefer-template": "error",
      "no-useless-rename": "error",
      "no-param-reassign": "error",
      curly: ["error", "multi-line"],
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
      "max-params": ["error", 4],
      "max-depth": ["error", 4],
      "@typescript-eslint/ban-ts-comment": [
        "error",
        { "ts-expect-error": "allow-with-description", minimumDescriptionLength: 10 },
      ],
      "@typescript-eslint/consistent-type-definitions": "off",
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      // An async method of a port may have nothing to wait for; what it throws is a rejection all the same.
      "@typescript-eslint/require-await": "off",
      // A request without parameters is an empty object on the wire.
      "@typescript-eslint/no-generated-empty-object-type": "off",
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      "@typescript-eslint/no-unused-vars": [
        "error",
        {
          argsIgnorePattern: "^_",
          varsIgnorePattern: "^_",
          caughtErrors: "all",
          ignoreRestSiblings: true,
        },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/strict-boolean-expressions": [
        "error",
        {
          allowString: false,
          allowNumber: false,
          allowNullableObject: false,
        },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      ...imports([electronModule, ...nodeCrypto]),
    },
  },

  // Areas, from the inside out.
  {
    files: ["protocol/**/*.ts", "crypto/**/*.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now", message: "Time comes in as a port." },
        { object: "performance", property: "now", message: "Time comes in as a port." },
        { object: "Math", property: "random", message: "Randomness comes in as a port." },
      ],
      "no-restricted-syntax": [
        ...syntaxRules,
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: "Time comes in as a port.",
        },
      ],
    },
  },
  {
    files: ["protocol/**/*.ts"],
    rules: {
      // A brand's type parameter is its purpose.
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      ...imports(
        [electronModule],
        [
          deepSiblings,
          { regex: "^node:", message: "protocol/ runs everywhere: no Node." },
          { regex: "^#protocol", message: "Inside protocol/ imports are relative." },
        ],
      ),
    },
  },
  {
    // The relay verifies signatures and hashes too, and the vault seals its frames (docs/adr/0028); neither may import crypto/.
    files: ["crypto/primitives/**/*.ts", "relay/primitives.ts", "electron/vault/frame-keys.ts"],
    rules: imports([electronModule]),
  },
  {
    files: ["crypto/{vault,linking}/**/*.ts", "crypto/identity/person-code.ts"],
    rules: imports([electronModule, ...nodeCrypto, quickComparison]),
  },
  {
    files: ["electron/shell/**/*.ts", "electron/main.ts", "electron/preload.ts"],
    rules: imports([...nodeCrypto]),
  },
  {
    files: [
      "relay/{main,embedded}.ts",
      "electron/{main,preload,preview,demo}.ts",
      "crypto/worker.ts",
    ],
    rules: { "no-console": "off", "max-lines": ["error", 120] },
  },
  {
    files: ["renderer/**/*.ts", "renderer/**/*.svelte"],
    languageOptions: { globals: globals.browser },
    rules: imports(
      [electronModule],
      [deepSiblings, { regex: "^node:", message: "The page has no Node." }],
    ),
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: {
      // Props and bindable state are declared with let in Svelte 5.
      "prefer-const": "off",
      "svelte/prefer-const": "error",
      "svelte/no-at-html-tags": "error",
      "svelte/no-at-debug-tags": "error",
      "svelte/require-each-key": "error",
      "no-restricted-syntax": [
        ...syntaxRules,
        {
          selector: "SvelteAttribute[key.name='style']",
          message:
            "The CSP refuses style attributes: use a class or the directive style:name={value}.",
        },
      ],
      "svelte/no-target-blank": "error",
      "svelte/button-has-type": "error",
      // It takes the words of the reason behind -- for names of warnings.
      "svelte/no-unused-svelte-ignore": "off",
      "svelte/valid-compile": "error",
      // A class may keep books that nothing on the screen depends on.
      "svelte/prefer-svelte-reactivity": "off",
    },
  },
  {
    files: ["**/*.svelte"],
    rules: {
      "max-lines": ["error", { max: 200, skipBlankLines: true, skipComments: true }],
      // An optional flag left out is off: markup asks it as it is.
      "@typescript-eslint/strict-boolean-expressions": [
        "error",
        {
          allowString: false,
          allowNumber: false,
          allowNullableObject: false,
          allowNullableBoolean: true,
        },
      ],
      // ESLint's parser does not know the types of snippets, events and other components; svelte-check does, and checks them.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
  {
    // Programs for the terminal.
    files: [
      "build/**/*.ts",
      "*.config.ts",
      "tests/bench/**/*.ts",
      "tests/crash/main.ts",
      "tests/support/{gallery,screenshots}.ts",
    ],
    rules: { "no-console": "off" },
  },
  {
    // These files are read by tools that ask for a default export.
    files: ["*.config.ts", "*.config.js", "tests/support/svelte-environment.ts"],
    rules: { "no-restricted-syntax": ["error", anonymousReexports] },
  },
  {
    files: ["tests/**/*.ts"],
    rules: {
      ...imports([], []),
      // Tests compare with what they know is there, and hold long lists of cases.
      "@typescript-eslint/no-non-null-assertion": "off",
      "max-lines": "off",
      // A fake has what the test needs of the class it stands for.
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
    },
  },
  {
    files: ["**/*.js"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: globals.node },
  },
);
