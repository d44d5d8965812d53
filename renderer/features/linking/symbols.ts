/**
 * 64 pictures that are easy to tell apart and to name, by number.
 *
 * Source: Matrix specification v1.11, "SAS method: emoji"; chosen there to be unmistakable in shape, colour and name.
 */
const table = [
  ["🐶", "dog"],
  ["🐱", "cat"],
  ["🦁", "lion"],
  ["🐎", "horse"],
  ["🦄", "unicorn"],
  ["🐷", "pig"],
  ["🐘", "elephant"],
  ["🐰", "rabbit"],
  ["🐼", "panda"],
  ["🐓", "rooster"],
  ["🐧", "penguin"],
  ["🐢", "turtle"],
  ["🐟", "fish"],
  ["🐙", "octopus"],
  ["🦋", "butterfly"],
  ["🌷", "flower"],
  ["🌳", "tree"],
  ["🌵", "cactus"],
  ["🍄", "mushroom"],
  ["🌏", "globe"],
  ["🌙", "moon"],
  ["☁️", "cloud"],
  ["🔥", "fire"],
  ["🍌", "banana"],
  ["🍎", "apple"],
  ["🍓", "strawberry"],
  ["🌽", "corn"],
  ["🍕", "pizza"],
  ["🎂", "cake"],
  ["❤️", "heart"],
  ["😀", "smiley"],
  ["🤖", "robot"],
  ["🎩", "hat"],
  ["👓", "glasses"],
  ["🔧", "spanner"],
  ["🎅", "santa"],
  ["👍", "thumbs-up"],
  ["☂️", "umbrella"],
  ["⌛", "hourglass"],
  ["⏰", "clock"],
  ["🎁", "gift"],
  ["💡", "light-bulb"],
  ["📕", "book"],
  ["✏️", "pencil"],
  ["📎", "paper-clip"],
  ["✂️", "scissors"],
  ["🔒", "lock"],
  ["🔑", "key"],
  ["🔨", "hammer"],
  ["☎️", "telephone"],
  ["🏁", "flag"],
  ["🚂", "train"],
  ["🚲", "bicycle"],
  ["✈️", "aeroplane"],
  ["🚀", "rocket"],
  ["🏆", "trophy"],
  ["⚽", "ball"],
  ["🎸", "guitar"],
  ["🎺", "trumpet"],
  ["🔔", "bell"],
  ["⚓", "anchor"],
  ["🎧", "headphones"],
  ["📁", "folder"],
  ["📌", "pin"],
] as const;

/** A picture and the key of its name. */
export interface LinkSymbol {
  readonly picture: string;
  readonly name: `symbol.${(typeof table)[number][1]}`;
}

/** @param number - from 0 to 63 */
export function linkSymbol(number: number): LinkSymbol {
  const [picture, name] = table[number & 63] ?? table[0];
  return { picture, name: `symbol.${name}` };
}
