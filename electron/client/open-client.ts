import { AppError } from "#protocol";
import type { Client, OpenClientOptions } from "./types.ts";

/** Opens an account: sweeps what has ended before it resolves, then connects in the background. */
export function openClient(_options: OpenClientOptions): Promise<Client> {
  return Promise.reject(new AppError("internal"));
}
