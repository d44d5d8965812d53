import type { Locator } from "@playwright/test";

/** A message as an open conversation shows it. */
export interface ShownMessage {
  /** “You”, or the sender's name. */
  readonly sender: string;
  /** Without Markdown; null where there is none to read. */
  readonly text: string | null;
  /** When it was sent, milliseconds since 1970. */
  readonly sentAtMs: number;
  /** How far a message of one's own has come. */
  readonly delivery: "waiting" | "sent" | "delivered" | "read" | "failed" | null;
  readonly isCovered: boolean;
  readonly isRecalled: boolean;
}

const deliveries = {
  "Waiting for network": "waiting",
  Sent: "sent",
  Delivered: "delivered",
  Read: "read",
  "Not sent": "failed",
} as const;

/** Everything in a feed that a person has sent, oldest first. Lines that Sotto wrote are left out. */
export async function readMessages(feed: Locator): Promise<readonly ShownMessage[]> {
  const found = await feed.getByRole("article").evaluateAll((articles) =>
    articles.map((article) => ({
      label: article.ariaLabel ?? "",
      sentAt: article.querySelector("time")?.dateTime ?? "",
      words: (article as HTMLElement).innerText.split("\n").map((line) => line.trim()),
    })),
  );
  return found.flatMap(({ label, sentAt, words }) => {
    const parts = /^(?<sender>.+?), \d\d:\d\d: (?<what>.*)$/su.exec(label)?.groups;
    if (parts === undefined) return [];
    const { sender = "", what = "" } = parts;
    const text = /^(?<text>.*)\. (?:Ends in|Burns in|Ended)[^.]*$/su.exec(what)?.groups?.["text"];
    const isCovered = what.startsWith("burn-on-read message, not shown yet");
    const said = words.findLast((word): word is keyof typeof deliveries => word in deliveries);
    return [
      {
        sender,
        text: isCovered ? null : (text ?? null),
        sentAtMs: Date.parse(sentAt),
        delivery: said === undefined ? null : deliveries[said],
        isCovered,
        isRecalled: what === "message recalled",
      },
    ];
  });
}
