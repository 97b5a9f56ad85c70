/**
 * The name of the method that `console.log` of Node asks for the text of an object. Without it, it would
 * print fields: of a tensor the whole graph behind it.
 */
export const inspect: unique symbol = Symbol.for('nodejs.util.inspect.custom');
