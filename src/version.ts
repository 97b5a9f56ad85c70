/** Version of this package, as in package.json: browsers cannot read that file. */
export const version = '0.2.0';
