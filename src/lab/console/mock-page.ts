import { notice } from '../../kit/console/layout.ts';
import type { Asked, ConsolePage } from '../../kit/console/page.ts';
import { html, type Html } from '../../kit/reading/html.ts';
import type { Mock } from '../stage/mock.ts';
import { countersOf, type Counter } from './counters.ts';
import { act, productsHtml } from './products.ts';
import { send, sendingHtml } from './sending.ts';

/**
 * A page of the console on which every event can be sent, changed and spoilt on purpose, and people do in the products what
 * makes them send by themselves. In development only: it signs with the secrets of the senders. A mock that is still to come
 * is waited for.
 */
export function createMockPage(mock: Mock | Promise<Mock>): ConsolePage {
  return {
    path: 'mock',
    title: 'Mock',
    async show(asked) {
      const parts = await mock;
      return shown(parts, countersOf(parts), asked);
    },
  };
}

/** With scripts only what changes is asked for: `?part`, and again and again `products`. */
async function shown(parts: Mock, counters: readonly Counter[], asked: Asked): Promise<Html> {
  const { rest, form, query, visitor } = asked;
  const [verb, source = ''] = rest;
  const products = () => productsHtml(counters, visitor.role === 'act');
  if (verb === 'products') return products();
  if (form === undefined) return pageHtml(parts, asked, products());
  const part = query.has('part');
  if (verb === 'send') {
    const sent = await send(parts, source, form);
    return part ? sent : pageHtml(parts, asked, products(), sent);
  }
  if (verb === 'act') {
    const did = await act(counters, source, form);
    const now = html`<div id="products" hx-swap-oob="innerMorph">${products()}</div>`;
    return part ? html`${did}${now}` : pageHtml(parts, asked, products(), did);
  }
  return pageHtml(parts, asked, products(), notice('warn', 'There is nothing here.'));
}

function pageHtml(parts: Mock, asked: Asked, products: Html, said: Html = html``): Html {
  return html`${said}
    <div class="beside">
      <div>${sendingHtml(parts, asked)}</div>
      <div>
        <div id="did" aria-live="polite"></div>
        <div id="products" hx-get="/mock/products" hx-trigger="every 2s" hx-swap="innerMorph">
          ${products}
        </div>
      </div>
    </div>`;
}
