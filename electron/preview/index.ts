export { startDemo, type Demo } from "./demo.ts";
export { thesePrograms } from "./programs.ts";
export { runPreview, type PreviewRun, type PreviewSetup, type Programs } from "./run.ts";
