import { Html, html } from '../reading/html.ts';
import { DEVELOPER, type ConsolePage, type Visitor } from './page.ts';

/** What stands around the content of every page. */
export interface Frame {
  readonly title: string;
  /** Of the page in the navigation that it belongs to. */
  readonly at: string;
  readonly visitor?: Visitor | undefined;
  readonly pages?: readonly Pick<ConsolePage, 'path' | 'title'>[];
  /** Which app it is, and the version of the kit. */
  readonly app: string;
}

const htmxConfig = JSON.stringify({ includeIndicatorCSS: false, history: false, extensions: 'sse, upsert' });

/** Not deferred, htmx waits for the end of the document; deferred, it might begin before its extension is there. */
const SCRIPTS = html`<script src="/assets/htmx.js"></script>
  <script src="/assets/sse.js"></script>
  <script src="/assets/upsert.js"></script>
  <script src="/assets/console.js" defer></script>`;

export function pageHtml({ title, at, visitor, pages = [], app }: Frame, main: Html): string {
  const link = (path: string, words: string) =>
    html`<a href="${path}" ${new Html(path === at ? ' aria-current="page"' : '')}>${words}</a>`;
  const own = pages.map((page) => link(`/${page.path}`, page.title));
  const nav = html`<nav aria-label="Pages">
    ${[link('/', 'Deliveries'), link('/state', 'State'), ...own]}
  </nav>`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="htmx-config" content="${htmxConfig}" />
        <title>${title} · advance-receiver-kit</title>
        <link rel="icon" href="/assets/icon.svg" />
        <link rel="stylesheet" href="/assets/console.css" />
        ${SCRIPTS}
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        <header class="top">
          <p class="brand"><a href="/">advance-receiver-kit</a> <small>${app}</small></p>
          ${visitor === undefined ? html`` : nav} ${visitor === undefined ? html`` : whoHtml(visitor)}
        </header>
        <main id="main" tabindex="-1">
          <h1>${title}</h1>
          ${main}
        </main>
      </body>
    </html> `.toString();
}

function whoHtml(visitor: Visitor): Html {
  const { name, role } = visitor;
  const may = role === 'act' ? 'may act' : 'may look';
  if (visitor === DEVELOPER) return html`<p class="who"><small>development, ${may}</small></p>`;
  return html`<form class="who" method="post" action="/logout">
    <small>${name}, ${may}</small> <button>Log out</button>
  </form>`;
}

/** Something that is asked back once before it is done; without scripts, too. */
export function confirmed(action: string, what: string, why: Html, fields: Html = html``): Html {
  return html`<details class="ask">
    <summary>${what}…</summary>
    <form method="post" action="${action}">${why}${fields}<button class="act">${what}</button></form>
  </details>`;
}

/** Names and what they are; what is empty is left out. */
export function listed(pairs: readonly (readonly [name: string, value: string | Html | undefined])[]): Html {
  const rows = pairs.flatMap(([name, value]) =>
    value === undefined || value === ''
      ? []
      : [
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
        ],
  );
  return html`<dl>${rows}</dl>`;
}

export function section(title: string, inside: Html): Html {
  const id = title.toLowerCase().replaceAll(/[^a-z]+/g, '-');
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${inside}
  </section>`;
}

export function notice(tone: 'good' | 'warn' | 'bad', words: string): Html {
  return html`<p class="notice ${tone}" role="status">${words}</p>`;
}

/** `2 d 3 h`: how long, in its two largest units. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}
