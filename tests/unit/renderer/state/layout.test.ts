import { describe, expect, test } from "vitest";
import { Layout } from "../../../../renderer/state/layout.svelte.ts";

function storage(initial: string | null = null) {
  let value = initial;
  return {
    getItem: () => value,
    setItem: (_key: string, next: string) => {
      value = next;
    },
  };
}

describe("panes", () => {
  test.each([
    [1280, 1, "three"],
    [1000, 1, "two"],
    [720, 1, "two"],
    [719, 1, "one"],
    [1280, 2, "one"],
    [2048, 2, "three"],
    [640, 0.8, "two"],
  ] as const)("%d px at text scale %d are %s", (widthPx, scale, mode) => {
    const layout = new Layout(storage());
    layout.setWindow(widthPx, scale);
    expect(layout.mode).toBe(mode);
  });
});

describe("the list's width", () => {
  test("follows a drag between its bounds, and collapses beyond", () => {
    const layout = new Layout(storage());
    layout.dragList(24);
    expect(layout.listRem).toBe(24);
    layout.dragList(99);
    expect(layout.listRem).toBe(layout.maxListRem);
    layout.dragList(12);
    expect(layout.listRem).toBe(layout.minListRem);
    layout.dragList(5);
    expect(layout.collapsed).toBe(true);
    expect(layout.listRem).toBe(4.75);
  });

  test("is moved by the keyboard, into the collapsed state and out of it", () => {
    const layout = new Layout(storage());
    layout.dragList(15);
    layout.growList(-1);
    expect(layout.collapsed).toBe(true);
    layout.growList(1);
    expect(layout.collapsed).toBe(false);
    expect(layout.listRem).toBe(15);
  });

  test("is never collapsed in one pane", () => {
    const layout = new Layout(storage());
    layout.toggleCollapsed();
    layout.setWindow(400, 1);
    expect(layout.collapsed).toBe(false);
  });

  test("is found again at the next start, as are the details", () => {
    const place = storage();
    const before = new Layout(place);
    before.dragList(22);
    before.showDetails(true);
    const after = new Layout(place);
    expect(after.listRem).toBe(22);
    expect(after.detailsOpen).toBe(true);
  });

  test.each(["not json", "null", "7", '{"listRem":"wide","collapsed":"yes"}', '{"listRem":1e9}'])(
    "is usual or bounded when what was remembered is %s",
    (text) => {
      const layout = new Layout(storage(text));
      expect(layout.listRem).toBeGreaterThanOrEqual(layout.minListRem);
      expect(layout.listRem).toBeLessThanOrEqual(layout.maxListRem);
      expect(layout.collapsed).toBe(false);
    },
  );
});
