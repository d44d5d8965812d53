import AxeBuilder from "@axe-core/playwright";
import { expect } from "@playwright/test";
import type { Person } from "./person.ts";

const wcag22aa = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** Holds what a person sees now to WCAG 2.2 AA as far as axe can, in light and in dark. */
export async function expectAccessible({ page }: Person, screen: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await expect(page.locator(":root")).toHaveAttribute("data-theme", colorScheme);
    const axe = new AxeBuilder({ page });
    // In the dark the same elements have other colours, and nothing else.
    if (colorScheme === "light") axe.withTags(wcag22aa);
    else axe.withRules(["color-contrast", "link-in-text-block"]);
    const { violations } = await axe.analyze();
    const faults = violations.flatMap(({ id, nodes }) =>
      nodes.map(
        ({ target, failureSummary = "" }) => `${id}: ${target.join(" ")} ${failureSummary}`,
      ),
    );
    expect.soft(faults, `${screen}, ${colorScheme}`).toEqual([]);
  }
}
