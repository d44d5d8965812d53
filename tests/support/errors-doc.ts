import { errorKinds, type ErrorCode, type Fault } from "#protocol";

const faults: Readonly<Record<Fault, string>> = {
  caller:
    "Whoever asked: a person, the interface, or a program that uses the engine. Asking otherwise helps.",
  peer: "A remote party: the relay or another member. What came is refused, and what is here stays as it is.",
  environment:
    "This computer, its network or its disk. Often it passes, and Sotto tries again by itself.",
  bug: "Sotto itself. Worth a report.",
};

/** The text of `docs/errors.md`, made from the table in `protocol/errors.ts`. */
export function errorsDocument(): string {
  const codes = Object.keys(errorKinds) as ErrorCode[];
  const sections = (Object.keys(faults) as Fault[]).map((fault) => {
    const lines = codes
      .filter((code) => errorKinds[code].fault === fault)
      .toSorted()
      .map((code) => `- \`${code}\`: ${errorKinds[code].text}`);
    return [`## ${fault}`, faults[fault], lines.join("\n")].join("\n\n");
  });
  return `${[
    "# Errors",
    "<!-- Made from protocol/errors.ts: `UPDATE_DOCS=1 npm run test:unit -- tests/unit/protocol/errors-doc.test.ts` -->",
    "Every failure has one of these codes; whose fault it is decides what happens next. Beside each code stands what it says to people.",
    ...sections,
  ].join("\n\n")}\n`;
}
