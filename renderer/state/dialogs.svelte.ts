import type {
  ConversationId,
  DeviceView,
  MessageView,
  PersonView,
  UserId,
  VoucherView,
} from "#protocol";

/** The sections of the settings. */
export const settingsSections = [
  "profile",
  "devices",
  "notifications",
  "appearance",
  "protection",
  "storage",
  "network",
  "about",
] as const;

export type SettingsSection = (typeof settingsSections)[number];

/** What is done about the passphrase of the app lock. */
export type PassphraseChange = "set" | "change" | "replace" | "remove";

/** What is done about the recovery code. */
export type RecoveryChange = "create" | "replace" | "remove";

/** A dialog that can stand over the frame. */
export type OpenDialog =
  | { readonly kind: "palette" }
  | { readonly kind: "shortcuts" }
  | { readonly kind: "settings"; readonly section: SettingsSection }
  | { readonly kind: "passphrase"; readonly change: PassphraseChange }
  /** Asks for the passphrase first. */
  | { readonly kind: "recovery-proof"; readonly change: RecoveryChange }
  /** A recovery code that was just made: shown this once. */
  | { readonly kind: "recovery-code"; readonly code: string }
  /** "Add a computer". */
  | { readonly kind: "add-device" }
  | { readonly kind: "rename-device"; readonly device: DeviceView }
  | { readonly kind: "new-conversation"; readonly people: readonly UserId[] }
  | { readonly kind: "invite" }
  | { readonly kind: "add-people" }
  | { readonly kind: "rename" }
  | { readonly kind: "timers" }
  | { readonly kind: "verify"; readonly person: PersonView }
  | { readonly kind: "key-change"; readonly person: PersonView }
  /** As it was when it was asked: an answer is about that person alone. */
  | {
      readonly kind: "join-by-word";
      readonly conversationId: ConversationId;
      readonly title: string;
      readonly voucher: VoucherView;
    }
  | { readonly kind: "message-info"; readonly message: MessageView }
  | { readonly kind: "other-network"; readonly networkName: string };

/** A question that must be answered before something that can't be undone. */
export interface Confirmation {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  readonly run: () => Promise<unknown>;
}

/** Which dialog is open. One at a time; a confirmation may stand over it. */
export class Dialogs {
  #current = $state.raw<OpenDialog | null>(null);
  #confirmation = $state.raw<Confirmation | null>(null);

  get current(): OpenDialog | null {
    return this.#current;
  }

  get confirmation(): Confirmation | null {
    return this.#confirmation;
  }

  /** Whether anything stands over the frame. */
  get any(): boolean {
    return this.#current !== null || this.#confirmation !== null;
  }

  open(dialog: OpenDialog): void {
    this.#current = dialog;
  }

  close(): void {
    this.#current = null;
  }

  ask(confirmation: Confirmation): void {
    this.#confirmation = confirmation;
  }

  closeConfirmation(): void {
    this.#confirmation = null;
  }
}
