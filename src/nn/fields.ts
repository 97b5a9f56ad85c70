/**
 * Adds the layers or states in a field by dotted name: the field itself, or the contents of its arrays and
 * plain objects.
 */
export function collect<T>(
  kind: abstract new (...args: never[]) => T,
  name: string,
  field: unknown,
  into: Map<string, T>,
): void {
  if (typeof field !== 'object' || field === null) return;
  if (field instanceof kind) into.set(name, field);
  else if (isPlain(field)) {
    for (const [key, item] of Object.entries(field)) collect(kind, `${name}.${key}`, item, into);
  }
}

function isPlain(object: object): boolean {
  if (Array.isArray(object)) return true;
  const prototype = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null;
}
