const groupSize = 5;

/** Splits a long code into groups that can be read out: five characters each, at most `most` groups. */
export function codeGroups(code: string, most: number): readonly string[] {
  const groups = code.match(new RegExp(`.{1,${String(groupSize)}}`, "gu")) ?? [];
  return groups.slice(0, most);
}
