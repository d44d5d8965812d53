import type { SettingsView } from "#protocol";

/** A theme that has values in tokens.css. */
export type EffectiveTheme = "light" | "dark" | "high-contrast";

/** What the operating system asks for. */
export interface SystemAppearance {
  readonly dark: boolean;
  readonly moreContrast: boolean;
}

/** Which theme to show for what was chosen. A system that asks for more contrast gets it, unless a theme was chosen by hand. */
export function effectiveTheme(
  chosen: SettingsView["theme"],
  system: SystemAppearance,
): EffectiveTheme {
  if (chosen !== "system") return chosen;
  if (system.moreContrast) return "high-contrast";
  return system.dark ? "dark" : "light";
}

/** What the look of the page is made from. */
export interface Appearance {
  readonly theme: SettingsView["theme"];
  /** From 0.8 to 2. */
  readonly textScale: number;
}

const darkQuery = "(prefers-color-scheme: dark)";
const contrastQuery = "(prefers-contrast: more)";
const motionQuery = "(prefers-reduced-motion: reduce)";
const rememberedKey = "sotto.appearance";

/** Puts the theme, the text scale and the wish for less motion on the root element, and follows the operating system. */
export class ThemeController {
  readonly #root: HTMLElement;
  readonly #view: Window;
  #appearance: Appearance;

  /** @param view - the window whose root element carries the theme */
  constructor(view: Window) {
    this.#view = view;
    this.#root = view.document.documentElement;
    this.#appearance = remembered(view.localStorage);
  }

  /**
   * Applies what was remembered from the last run, before settings have arrived, so that the first paint is right.
   *
   * @returns a disposer that stops following the system
   */
  start(): () => void {
    const queries = [darkQuery, contrastQuery, motionQuery].map((query) =>
      this.#view.matchMedia(query),
    );
    const onChange = (): void => {
      this.#paint();
    };
    for (const query of queries) query.addEventListener("change", onChange);
    this.#paint();
    return () => {
      for (const query of queries) query.removeEventListener("change", onChange);
    };
  }

  /** Applies `appearance` and remembers it for the next start. */
  apply(appearance: Appearance): void {
    this.#appearance = appearance;
    this.#view.localStorage.setItem(rememberedKey, JSON.stringify(appearance));
    this.#paint();
  }

  #paint(): void {
    const matches = (query: string): boolean => this.#view.matchMedia(query).matches;
    this.#root.dataset["theme"] = effectiveTheme(this.#appearance.theme, {
      dark: matches(darkQuery),
      moreContrast: matches(contrastQuery),
    });
    this.#root.dataset["motion"] = matches(motionQuery) ? "reduced" : "full";
    this.#root.style.setProperty("--text-scale", String(this.#appearance.textScale));
  }
}

const themes: readonly string[] = ["system", "light", "dark", "high-contrast"];

/** Reads what {@link ThemeController.apply} wrote; anything else gives the default. */
export function remembered(storage: Pick<Storage, "getItem">): Appearance {
  const fallback: Appearance = { theme: "system", textScale: 1 };
  const text = storage.getItem(rememberedKey);
  if (text === null) return fallback;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return fallback;
    const { theme, textScale } = value as Partial<Record<keyof Appearance, unknown>>;
    return {
      theme: themes.includes(String(theme)) ? (theme as Appearance["theme"]) : fallback.theme,
      textScale:
        typeof textScale === "number" && textScale >= 0.8 && textScale <= 2
          ? textScale
          : fallback.textScale,
    };
  } catch {
    return fallback;
  }
}
