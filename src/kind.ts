/** A class that may name its kind. */
type Kind = abstract new (...args: never[]) => object;

/**
 * The kind of the instances of a class: its `static kind`, else its name. Files refer to kinds: the layer of
 * a parameter, the optimizer of a saved state. A minifier renames classes but keeps `static kind`.
 *
 * A derived class without `static kind` of its own has its own name, not the kind of its base. A class
 * without a name has the kind of its base.
 */
export function kindOfClass(type: Kind): string {
  if (Object.hasOwn(type, 'kind')) return (type as Kind & { readonly kind: string }).kind;
  const base: unknown = Object.getPrototypeOf(type);
  return type.name === '' && typeof base === 'function' ? kindOfClass(base as Kind) : type.name;
}

/** The kind of an object, by {@link kindOfClass}. */
export function kindOf(object: object): string {
  const type: unknown = object.constructor;
  return typeof type === 'function' ? kindOfClass(type as unknown as Kind) : 'Object';
}
