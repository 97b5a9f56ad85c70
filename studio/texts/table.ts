/** Texts of the page in both languages. `{name}` stands for a value. */
export type Texts = Readonly<Record<string, { readonly en: string; readonly zh: string }>>;
