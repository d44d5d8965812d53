import type { Configuration } from "electron-builder";

import { executableName, setFuses } from "./fuses.ts";
import { needlessModules } from "./packed-modules.ts";

/** The parts of packages that a running app never opens. */
const needlessFiles: readonly string[] = [
  "**/*.{map,ts,mts,cts,c,cc,cpp,h,hpp,gyp,gypi,yml,flow}",
  "**/{test,tests,__tests__,docs,doc,example,examples,benchmark,benchmarks,bench,.github}/**",
  // keytar brings every platform's build, sql.js one per way of loading it.
  "keytar/{build,src,script}/**",
  "keytar/prebuilds/!(${platform}-${arch})/**",
  "sql.js/dist/!(sql-wasm.js|sql-wasm.wasm)",
  // Builds for the ABI of plain Node: Electron takes those for Node-API.
  "@{lmdb,msgpackr-extract}/*/node.abi*.node",
  "lmdb/{src,dependencies}/**",
];

/** Where packing differs from a release. */
export interface PackingOptions {
  /** An unpacked Electron, or a folder of its archives, instead of a fetched one. */
  readonly electronDist?: string | undefined;
  /** Where the results go instead of release/. */
  readonly output?: string | undefined;
}

/** What electron-builder makes of the bundles in dist/. */
export function packingConfig({ electronDist, output }: PackingOptions): Configuration {
  return {
    ...(electronDist === undefined ? {} : { electronDist }),
    appId: "org.sotto.desktop",
    productName: "Sotto",
    copyright: "The Sotto authors, Apache-2.0",
    directories: { output: output ?? "release", buildResources: "build/icons" },
    files: [
      "package.json",
      "LICENSE",
      "dist/**/*",
      "!dist/.*",
      ...needlessFiles.map((pattern) => `!node_modules/${pattern}`),
      ...needlessModules().map((name) => `!**/node_modules/${name}/**`),
    ],
    // Only native files leave the archive: a script outside it would escape the integrity check.
    asar: { smartUnpack: false },
    asarUnpack: ["**/*.node"],
    // Every native package brings builds for Node-API, which Electron shares: nothing is compiled.
    npmRebuild: false,
    nodeGypRebuild: false,
    afterPack: setFuses,
    publish: null,
    artifactName: "${productName}-${version}-${os}-${arch}.${ext}",
    protocols: [{ name: "Sotto invitation", schemes: ["sotto"], role: "Viewer" }],
    electronLanguages: ["en-US", "de", "ar"],
    win: { target: ["nsis", "msi"] },
    nsis: { oneClick: false, perMachine: false, deleteAppDataOnUninstall: false },
    msi: { oneClick: false, perMachine: true },
    mac: {
      target: ["dmg", "pkg"],
      category: "public.app-category.business",
      hardenedRuntime: true,
      gatekeeperAssess: false,
      minimumSystemVersion: "13.0",
    },
    linux: {
      target: ["AppImage", "deb", "rpm"],
      category: "Network",
      executableName,
      icon: "build/icons/linux",
      synopsis: "Encrypted messages that end",
      maintainer: "The Sotto authors <maintainers@sotto.invalid>",
      desktop: { entry: { StartupWMClass: "sotto", Keywords: "chat;message;encrypted;private;" } },
    },
    deb: { recommends: ["gnome-keyring | kwalletmanager", "libayatana-appindicator3-1"] },
  };
}
