import { useLayoutEffect, useState } from 'preact/hooks';
import { texts } from './all.js';

export type TextKey = keyof typeof texts;
export type Language = 'en' | 'zh';

const storageKey = 'fovea-language';
const changed = new EventTarget();
let language: Language = firstLanguage();

function firstLanguage(): Language {
  try {
    const stored = localStorage.getItem(storageKey);
    if (stored === 'en' || stored === 'zh') return stored;
  } catch {
    // A browser may forbid it.
  }
  return navigator.language.startsWith('zh') ? 'zh' : 'en';
}

export function setLanguage(chosen: Language): void {
  language = chosen;
  try {
    localStorage.setItem(storageKey, chosen);
  } catch {
    // The choice holds for this tab alone.
  }
  changed.dispatchEvent(new Event('language'));
}

/** The language of the page; the component is rendered again when it changes. */
export function useLanguage(): Language {
  const [current, setCurrent] = useState(language);
  useLayoutEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
    const onChange = () => setCurrent(language);
    changed.addEventListener('language', onChange);
    return () => changed.removeEventListener('language', onChange);
  });
  return current;
}

/** A text in the language of the page, with values in place of `{name}`. */
export function t(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  return texts[key][language].replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
