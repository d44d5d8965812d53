import { verify } from "./lib/gate.ts";

/* npm run verify: every check and every test. Debian packages must be there; npm test installs them. */
process.exitCode = (await verify()) ? 0 : 1;
