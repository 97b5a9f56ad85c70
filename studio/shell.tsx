import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { StudioInfo } from '../src/studio/api.js';
import { type PageProps, pages } from './pages/index.js';
import { Loading, Problem } from './parts/notice.js';
import { href, useRoute } from './route.js';
import { apiAddress, ServerError, useServer } from './server.js';
import { setLanguage, t, useLanguage } from './texts/index.js';

/** Navigation, and the page that the address names. */
export function Shell() {
  const language = useLanguage();
  const route = useRoute();
  const { data, error, reload } = useServer<StudioInfo>(apiAddress('studio'));
  const name = route.page === '' ? pages[0].name : route.page;
  const page = pages.find((one) => one.name === name);
  useEffect(() => {
    document.title = `${page === undefined ? '' : `${t(page.title)} · `}${t('shell.title')}`;
  });
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        {t('shell.skip')}
      </button>
      <header class="bar">
        <a class="brand" href={href('')}>
          {t('shell.title')}
        </a>
        <nav aria-label={t('shell.pages')}>
          {pages.map((one) => (
            <a key={one.name} href={href(one.name)} aria-current={one.name === name ? 'page' : undefined}>
              {t(one.title)}
            </a>
          ))}
        </nav>
        <button
          type="button"
          class="plain"
          lang={language === 'en' ? 'zh-CN' : 'en'}
          onClick={() => setLanguage(language === 'en' ? 'zh' : 'en')}
        >
          {t('shell.language')}
        </button>
      </header>
      <main id="contents" tabIndex={-1}>
        {error !== null && <Problem error={error} retry={reload} />}
        {error === null && page === undefined && <p class="empty">{t('shell.unknown')}</p>}
        {error === null && page !== undefined && <LoadedPage key={name} name={name} parameters={route.parameters} />}
      </main>
      <footer>
        {data !== null && (
          <>
            {t('shell.folder')} <code>{data.folder}</code> · Fovea {data.version}
          </>
        )}
      </footer>
    </>
  );
}

/** A link to the contents would change the address, which names the page. */
function skip(): void {
  document.getElementById('contents')?.focus();
}

function LoadedPage({ name, parameters }: PageProps & { readonly name: string }) {
  const [Component, setComponent] = useState<FunctionComponent<PageProps> | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const page = pages.find((one) => one.name === name);
    page?.load().then(
      ({ default: loaded }) => setComponent(() => loaded),
      () => setFailed(true),
    );
  }, [name]);
  if (failed) return <Problem error={new ServerError('away', '')} retry={() => location.reload()} />;
  return Component === null ? <Loading /> : <Component parameters={parameters} />;
}
