import { supportedSuites, type SuiteName } from "#protocol";
import { encodeKeyPackage } from "../../crypto/mls/codec.ts";
import { createKeyPackage, keyPackageRefOf } from "../../crypto/mls/key-packages.ts";
import { loadPrimitives } from "../../crypto/primitives/index.ts";
import { createMlsWorld, MlsDevice } from "../support/mls-device.ts";

/*
 * Key packages of each suite: how many a second, and how large. A device publishes 101 at a time when it is new (100 and the last
 * resort). Made as the crypto worker makes them, without the sealing of their private parts.
 */

const budgetMs = 2_000;
const warmUps = 3;

const primitives = await loadPrimitives();

async function measure(suite: SuiteName): Promise<{ perSecond: number; sizeBytes: number }> {
  const { impl, nowMs, ...world } = createMlsWorld(primitives, { suite });
  const { own } = new MlsDevice({ impl, nowMs, ...world });
  const make = async (): Promise<Uint8Array> => {
    const made = await createKeyPackage(impl, own, { nowMs, lastResort: false });
    await keyPackageRefOf(impl, made.keyPackage);
    return encodeKeyPackage(made.keyPackage);
  };
  for (let round = 0; round < warmUps; round++) await make();
  let sizeBytes = 0;
  const times: number[] = [];
  const endMs = performance.now() + budgetMs;
  while (performance.now() < endMs) {
    const begin = performance.now();
    sizeBytes = (await make()).length;
    times.push(performance.now() - begin);
  }
  const median = times.sort((left, right) => left - right)[Math.floor(times.length / 2)] ?? NaN;
  return { perSecond: 1000 / median, sizeBytes };
}

console.log("key packages: of the median, by suite");
console.log("per second   bytes  suite");
for (const suite of supportedSuites) {
  const { perSecond, sizeBytes } = await measure(suite);
  console.log([perSecond.toFixed(0).padStart(10), String(sizeBytes).padStart(6), suite].join("  "));
}
