import { useLayoutEffect, useState } from 'preact/hooks';

/** A place in the studio: `#/evaluate?run=runs%2Ffirst`. */
export interface Route {
  readonly page: string;
  readonly parameters: Readonly<Record<string, string>>;
}

function currentRoute(): Route {
  const [page = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { page, parameters: Object.fromEntries(new URLSearchParams(query)) };
}

/** Address of a place; parameters without a value are left out. */
export function href(page: string, parameters: Readonly<Record<string, string | null | undefined>> = {}): string {
  const given = Object.entries(parameters).flatMap(([key, value]) => (value == null ? [] : [[key, value]]));
  const query = new URLSearchParams(given).toString();
  return `#/${page}${query === '' ? '' : `?${query}`}`;
}

/** Changes the address. @public */
export function go(page: string, parameters: Readonly<Record<string, string | null | undefined>> = {}): void {
  location.hash = href(page, parameters);
}

/** The place that the address names. */
export function useRoute(): Route {
  const [route, setRoute] = useState(currentRoute);
  useLayoutEffect(() => {
    const onChange = () => setRoute(currentRoute());
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);
  return route;
}
