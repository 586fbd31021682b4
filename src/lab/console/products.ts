import { notice, section } from '../../kit/console/layout.ts';
import { messageOf } from '../../kit/errors.ts';
import { html, type Html } from '../../kit/reading/html.ts';
import type { Fired } from '../mock/sender.ts';
import { pick } from '../usage.ts';
import type { Counter, Thing } from './counters.ts';
import { verdictHtml } from './sending.ts';

/** What there is in the products, newest first, and what was sent for it. */
export function productsHtml(counters: readonly Counter[], mayAct: boolean): Html {
  return html`${counters.map((counter) => section(`In ${counter.title}`, counterHtml(counter, mayAct)))}`;
}

function counterHtml({ source, kinds, sent }: Counter, mayAct: boolean): Html {
  return html`${kinds.map(
      ({ title, begin, things }) =>
        html`<h3>${title}</h3>
          ${mayAct && begin !== undefined && deedsHtml(source, '', [begin])}
          ${newest(things(), MOST, 'There are none.', (thing) => thingHtml(source, thing, mayAct))}`,
    )}
    <h3>What it sent by itself</h3>
    ${newest(sent(), MOST_SENT, 'Nothing yet.', sentLine)}`;
}

const MOST = 50;
const MOST_SENT = 10;

function newest<Item>(items: readonly Item[], most: number, none: string, show: (item: Item) => Html): Html {
  if (items.length === 0) return html`<p class="none">${none}</p>`;
  const shown = items.slice(-most).reverse();
  return html`<ul class="groups">
      ${shown.map(show)}
    </ul>
    ${items.length > shown.length && html`<p class="none">The newest ${shown.length} of ${items.length}.</p>`}`;
}

function thingHtml(source: string, { id, name, state, tone, about, deeds }: Thing, mayAct: boolean): Html {
  // By its id it is found again where it has moved to, with whatever has the focus in it.
  return html`<li id="${source}-${id}">
    <p class="said">
      <b>${name}</b> <span class="chip ${tone}">${state}</span> ${about} <small>${id}</small>
    </p>
    ${mayAct && deeds.length > 0 && deedsHtml(source, id, deeds)}
  </li>`;
}

function deedsHtml(source: string, id: string, deeds: readonly string[]): Html {
  const address = `/mock/act/${source}`;
  return html`<form
    class="actions"
    method="post"
    action="${address}"
    hx-post="${address}?part"
    hx-target="#did"
  >
    <input type="hidden" name="thing" value="${id}" />
    ${deeds.map((deed) => html`<button name="deed" value="${deed}">${deed}</button>`)}
  </form>`;
}

function sentLine(fired: Fired): Html {
  const { reply, ms, verdict } = fired;
  return html`<li class="said">
    ${verdictHtml(fired)}
    <small>${reply?.status ?? 'no reply'}, ${ms} ms</small> ${!verdict.ok && verdict.says}
  </li>`;
}

/** Does what somebody has asked for; what the product does not let him do is said. */
export async function act(
  counters: readonly Counter[],
  source: string,
  form: URLSearchParams,
): Promise<Html> {
  const deed = form.get('deed') ?? '';
  try {
    const named = counters.map((counter) => [counter.source, counter] as const);
    const { deeds, title } = pick('product', source, named);
    await pick('deed', deed, [...deeds])(form.get('thing') ?? '');
    return notice('good', `${title}: ${deed}.`);
  } catch (error) {
    return notice('bad', `${deed}: ${messageOf(error)}`);
  }
}
