import type { PickerEmoji } from "../../i18n/index.ts";

/** The emoji on offer, by group. A small set that everybody's system has; anything else can be typed or pasted. */
export const emojiGroups = [
  { name: "frequent", emoji: ["👍", "❤️", "😂", "🎉", "🙏", "👀", "✅", "🔥"] },
  {
    name: "faces",
    emoji: [
      ...["😀", "😄", "😅", "🤣", "🙂", "🙃", "😉", "😊", "😍", "🤩", "😘", "😋", "😎", "🤓"],
      ...["🤔", "🤨", "😐", "😶", "🙄", "😬", "😴", "🤒", "🤯", "🥳", "😢", "😭", "😤", "😡"],
      ...["😱", "😳", "🥺", "🫠"],
    ],
  },
  {
    name: "gestures",
    emoji: [
      ...["👎", "👌", "✌️", "🤞", "👋", "👏", "🙌", "💪", "👉", "👇", "☝️", "✋", "🤝", "🫡"],
      ...["🤷", "🤦", "🙋", "💁", "🧑‍💻", "🧑‍🏫", "👥"],
    ],
  },
  {
    name: "work",
    emoji: [
      ...["💼", "📅", "⏰", "⏳", "📌", "📎", "📈", "📉", "📊", "📝", "📄", "📁", "📦", "✉️"],
      ...["📞", "💻", "🖨️", "🔒", "🔑", "🔍", "🔧", "🐛", "🧪", "🚀", "💡", "🏆", "🎁", "🎂"],
      ...["💰", "🧾", "🏠", "🏢", "✈️", "🚆", "🚗", "🚲"],
    ],
  },
  {
    name: "nature",
    emoji: [
      ...["☀️", "🌧️", "❄️", "🌈", "🌱", "🌳", "🌸", "🐶", "🐱", "☕", "🍕", "🍎", "🥗", "🍰", "🍻"],
    ],
  },
  {
    name: "symbols",
    emoji: [
      ...["💯", "❗", "❓", "❌", "⚠️", "🚫", "⭐", "✨", "💬", "🔔", "🔄", "➡️", "⬆️", "💚", "💙"],
      ...["💔", "🟢", "🟡", "🔴"],
    ],
  },
] as const satisfies readonly { readonly name: string; readonly emoji: readonly PickerEmoji[] }[];

/** The first ones to react with. */
export const quickReactions = ["👍", "❤️", "😂", "🎉", "🙏", "✅"] as const;

/** The emoji whose name or other words begin with each word that is looked for. */
export function findEmoji(
  names: Readonly<Record<PickerEmoji, string>>,
  query: string,
): readonly PickerEmoji[] {
  const wanted = query
    .toLocaleLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== "");
  const all = emojiGroups.flatMap<PickerEmoji>(({ emoji }) => emoji);
  return all.filter((emoji) => {
    const words = names[emoji].toLocaleLowerCase().split(/[\s,]+/u);
    return wanted.every((start) => words.some((word) => word.startsWith(start)));
  });
}

/** An emoji's name: what stands before the first comma. */
export function emojiName(
  names: Readonly<Record<PickerEmoji, string>>,
  emoji: PickerEmoji,
): string {
  return names[emoji].split(",")[0] ?? "";
}
