export { startDemo, type Demo } from "./demo.ts";
export { claimInstance, type Instance, type InstancePlace, type SecondStart } from "./instance.ts";
export { thesePrograms } from "./programs.ts";
export { runPreview, type PreviewRun, type PreviewSetup, type Programs } from "./run.ts";
export { isSameToken, newToken } from "./secret.ts";
export { servePreview, type PreviewOptions, type PreviewServer } from "./server.ts";
