/** A name that is not taken yet: files of two folders may have one name. Upper and lower case are equal. */
export function freeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${name}-${n}`;
  taken.add(free.toLowerCase());
  return free;
}
