export { claimInstance, type Instance, type InstancePlace, type SecondStart } from "./instance.ts";
export { runPreview, type PreviewRun, type PreviewSetup } from "./run.ts";
export { isSameToken, newToken } from "./secret.ts";
export { servePreview, type PreviewOptions, type PreviewServer } from "./server.ts";
