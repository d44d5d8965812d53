import { runPlaywright } from "./lib/gate.ts";
import { inWords } from "./lib/totals.ts";

/* npm run test:e2e [-- playwright's arguments] */
const totals = await runPlaywright(process.argv.slice(2));
console.log(inWords(totals));
process.exitCode = totals.failed === 0 ? 0 : 1;
