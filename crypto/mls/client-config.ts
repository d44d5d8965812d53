import type { ClientConfig } from "ts-mls";

/** Padmé for every size, and never below 256 bytes. Source: RFC 9420 §15.1; the kind is ours, see `patches/`. */
export const paddingConfig: ClientConfig["paddingConfig"] = { kind: "padme", minimumLength: 256 };
