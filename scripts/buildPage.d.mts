export function buildPage(folder: string, data?: string): Promise<void>;
