import { createWorkerCore } from "./worker/core.ts";
import { hostPort } from "./worker/port.ts";
import { systemClock } from "./worker/system-clock.ts";

// Entry of the crypto worker: a thread of Node's worker_threads, or a utility process of Electron.

const port = hostPort();
if (port === undefined) {
  process.stderr.write("This is Sotto's crypto worker. It is started by Sotto.\n");
  process.exit(1);
}
const core = createWorkerCore({
  clock: systemClock,
  post: (message, transfer) => {
    port.post(message, transfer);
  },
});
port.listen((request) => {
  core.handle(request);
});
