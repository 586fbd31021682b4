import { rejections } from '../errors.ts';
import { html, type Html } from '../reading/html.ts';
import type { Kept } from '../tape/tape.ts';
import { confirmed, listed, notice, section } from './layout.ts';
import type { Visitor } from './page.ts';
import { requestHtml } from './request.ts';
import { timeHtml } from './row.ts';

/** What can be said of a refused delivery besides what the tape has. */
export interface Said {
  /** What `npm run explain` printed. */
  readonly explained?: string | undefined;
  readonly revealed?: boolean;
  /** Whether it can be asked here. */
  readonly canExplain: boolean;
}

/** One that was refused: why, what would have to be otherwise, and how it is taken in once that is mended. */
export function refusedHtml(
  kept: Kept,
  { role }: Visitor,
  { explained, revealed = false, canExplain }: Said,
): Html {
  const { number, outcome, why, at, endpoint, request, seq } = kept;
  const meaning = Object.entries(rejections).find(([code]) => code === outcome)?.[1];
  const address = `/refused/${number}`;
  const ask = html`<form
    method="post"
    action="${address}/explain"
    hx-post="${address}/explain"
    hx-target="#explained"
    hx-swap="innerHTML"
  >
    <button class="act">Explain it</button>
    <small
      >Tries what would make it verify; takes some seconds. Or:
      <code>npm run explain -- ${number}</code></small
    >
  </form>`;
  return html`${seq === undefined ? html`` : html`<p class="notice good">It is in the inbox now: <a href="/deliveries/${seq}">entry ${seq}</a>.</p>`}
    <p class="lead"><span class="chip bad">${outcome}</span> ${why ?? ''}</p>
    <p>${meaning === undefined ? '' : `Answered with ${meaning[0]}. ${meaning[1]}`}</p>
    ${section(
      'Why?',
      html`${canExplain ? ask : html`<p><code>npm run explain -- ${number}</code> says it.</p>`}
        <div id="explained" aria-live="polite">
          ${explained === undefined ? html`` : explainedHtml(explained)}
        </div>`,
    )}
    ${
      role !== 'act' || seq !== undefined
        ? html``
        : section(
            'Once it is mended',
            html`<p>It is verified again, by all the rules, and put into the inbox as if it had come now.</p>
              ${confirmed(`${address}/accept`, 'Accept', html``, html`<label><input type="checkbox" name="stale" /> although its token has expired since</label>`)}`,
          )
    }
    ${section(
      'As it came',
      html`${listed([
        ['when', timeHtml(at)],
        ['endpoint', endpoint ?? 'none has its path'],
        ['X-Request-Id', request],
      ])}
      ${requestHtml(kept, revealed)}
      ${
        revealed || role !== 'act'
          ? html``
          : html`<form method="post" action="${address}/reveal">
              <button>Show what it says</button>
              <small>It may be personal data: that you looked is recorded.</small>
            </form>`
      }`,
    )}`;
}

export function explainedHtml(text: string): Html {
  return html`<pre class="said">${text}</pre>`;
}

export function unknownHtml(): Html {
  return notice(
    'warn',
    'The tape has no such delivery: it was too old, or one of too many of its kind, or TAPE is off.',
  );
}
