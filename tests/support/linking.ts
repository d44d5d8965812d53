import type { LinkStepView, LinkView } from "#protocol";
import { until, type LinkingPerson, type Person } from "./client-world.ts";

/** What the existing device shows of it, as it changes. */
class Shown {
  view: LinkView = { kind: "idle" };

  constructor(person: Person) {
    person.client.on("link.changed", (view) => {
      this.view = view;
    });
  }

  async reaches<Kind extends LinkView["kind"]>(
    kind: Kind,
  ): Promise<Extract<LinkView, { readonly kind: Kind }>> {
    await until(`the other device shows ${kind}`, () => this.view.kind === kind);
    return this.view as Extract<LinkView, { readonly kind: Kind }>;
  }
}

/** Lets a device show a code. */
export async function showCode(
  person: Person,
): Promise<{ readonly shown: Shown; readonly link: string }> {
  await person.online();
  const shown = new Shown(person);
  await person.client.commands["link.show"]({});
  const { link } = await shown.reaches("code");
  return { shown, link };
}

/** The whole way, with two people who look. */
export async function link(
  existing: Person,
  added: Person,
  options: { readonly history?: boolean } & Partial<LinkingPerson> = {},
): Promise<Shown> {
  const { shown, link: text } = await showCode(existing);
  let steps: LinkStepView[] = [];
  await added.link(text, {
    ...options,
    onStep: (step) => {
      steps = [...steps, step];
      options.onStep?.(step);
    },
    compared: async () => {
      const { symbols } = await shown.reaches("compare");
      const own = steps.at(-1);
      await existing.client.commands["link.match"]({ history: options.history ?? true });
      return own?.kind === "compare" && own.symbols.join() === symbols.join();
    },
  });
  await shown.reaches("added");
  return shown;
}

/** The devices of an account, as one of them lists them. */
export const devicesOf = (person: Person) => person.client.commands["devices.list"]({});
