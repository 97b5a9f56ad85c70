export function servePage(
  folder: string,
  options?: { readonly port?: number; readonly isolated?: boolean },
): Promise<{ readonly address: string; close(): Promise<void> }>;
