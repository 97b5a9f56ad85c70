import { render } from 'preact';
import { Shell } from './shell.js';

// The token is in the cookie now; it must not stay where a screenshot or a bookmark shows it.
if (location.search !== '') history.replaceState(null, '', `/${location.hash}`);
render(<Shell />, document.getElementById('studio') as HTMLElement);
