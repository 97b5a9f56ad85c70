const instances = new Map<string, number>();

/** `BatchNorm2D` → `batch_norm2d`, by Paddle's rule. */
function snakeCase(name: string): string {
  return name
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** The next name of a class in this process, as Paddle counts them: `conv2d_0`, `conv2d_1` … */
export function nextFullName(kind: string): string {
  const name = snakeCase(kind);
  const index = instances.get(name) ?? 0;
  instances.set(name, index + 1);
  return `${name}_${index}`;
}
