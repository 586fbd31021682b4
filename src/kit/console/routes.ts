import { html, type Html } from '../reading/html.ts';
import type { Actions } from './actions.ts';
import type { ConsoleParts } from './console.ts';
import { deliveryHtml } from './delivery.ts';
import { readFilter } from './filter.ts';
import { notice } from './layout.ts';
import { listHtml, type listRows } from './list.ts';
import type { ConsolePage, Visitor } from './page.ts';
import { explainedHtml, refusedHtml, unknownHtml } from './refused.ts';
import { lookAtState, standingHtml, stateHtml, type State } from './state.ts';
import { awaitRefused } from './taped.ts';

/** Somebody who may look asks for a page, or with a form for something to be done. */
export interface Visit {
  readonly path: string;
  readonly query: URLSearchParams;
  /** `undefined`: nothing is to be done. */
  readonly form: URLSearchParams | undefined;
  readonly visitor: Visitor;
  /** Only what is inside the page is wanted. */
  readonly part: boolean;
  readonly parts: ConsoleParts;
  /** One of them is made at a time. */
  readonly list: typeof listRows;
  /** As it was a moment ago. */
  readonly state: () => Promise<State>;
  readonly actions: Actions;
  readonly pages: readonly ConsolePage[];
}

export type Content =
  | {
      readonly title: string;
      readonly inside: Html;
      readonly status?: number;
      /** In the navigation. */ readonly at?: string;
    }
  | { readonly goTo: string };

export async function pageAt(visit: Visit): Promise<Content> {
  const [first = '', ...rest] = visit.path.slice(1).split('/');
  switch (first) {
    case '':
      return deliveries(visit);
    case 'deliveries':
      return delivery(visit, rest);
    case 'refused':
      return refused(visit, rest);
    case 'state':
      return state(visit, rest);
    default:
      return further(visit, first, rest);
  }
}

const NOTHING: Content = {
  title: 'Not found',
  inside: notice('warn', 'There is nothing here.'),
  status: 404,
};
const MAY_NOT: Content = {
  title: 'Refused',
  inside: notice('bad', 'You may look, and not act.'),
  status: 403,
};

async function deliveries({ query, parts, list }: Visit): Promise<Content> {
  const filter = readFilter(query);
  const [written = ''] = /^\d{1,15}$/.exec(query.get('before') ?? '') ?? [];
  const before = written === '' ? undefined : Number(written);
  const listed = await list(parts, filter, before);
  return { title: 'Deliveries', inside: listHtml(parts, filter, listed, before === undefined), at: '/' };
}

async function delivery(
  visit: Visit,
  [number = '', verb = '', ...more]: readonly string[],
): Promise<Content> {
  const { parts, actions, visitor, form } = visit;
  const seq = /^\d{1,15}$/.test(number) ? Number(number) : 0;
  const entry = await parts.inbox.find(seq);
  if (entry === null || more.length > 0) return NOTHING;
  const page = async (said: Html, revealed = false): Promise<Content> => ({
    title: `${entry.source} ${entry.type}, entry ${seq}`,
    inside: html`${said}${await deliveryHtml(parts, entry, visitor, revealed)}`,
    at: '/',
  });
  if (form === undefined) return verb === '' ? page(saidIn(visit)) : { goTo: `/deliveries/${seq}` };
  if (visitor.role !== 'act') return MAY_NOT;
  switch (verb) {
    case 'replay':
      return {
        goTo: `/deliveries/${seq}?said=${(await actions.replay(seq, visitor))?.status === 'running' ? 'runs' : 'replayed'}`,
      };
    case 'discard': {
      const reason = (form.get('reason') ?? '').trim();
      if (reason === '') return page(notice('bad', 'Say why it is discarded.'));
      const after = await actions.discard(seq, reason, visitor);
      return { goTo: `/deliveries/${seq}?said=${after?.status === 'running' ? 'runs' : 'discarded'}` };
    }
    case 'reveal':
      actions.record(visitor, `looked at what entry ${seq} says`);
      return page(html``, true);
    default:
      return NOTHING;
  }
}

const SAID: ReadonlyMap<string, Html> = new Map([
  ['replayed', notice('good', 'It waits to run once more.')],
  ['discarded', notice('good', 'It is discarded.')],
  ['runs', notice('warn', 'It runs just now, and was left alone.')],
]);

function saidIn({ query }: Visit): Html {
  return SAID.get(query.get('said') ?? '') ?? html``;
}

async function refused(visit: Visit, [called = '', verb = '', ...more]: readonly string[]): Promise<Content> {
  const { parts, actions, visitor, form, part } = visit;
  const { tape, journal } = parts;
  const refusedAt = journal.row(`r${called}`)?.at;
  const kept = tape && more.length === 0 ? await awaitRefused(tape, called, refusedAt) : undefined;
  if (kept === undefined) return { title: 'A refused delivery', inside: unknownHtml(), status: 404, at: '/' };
  const canExplain = parts.explain !== undefined;
  const page = (said: Html, more: Parameters<typeof refusedHtml>[2] = { canExplain }): Content => ({
    title: `Refused delivery ${kept.number}`,
    inside: html`${said}${refusedHtml(kept, visitor, more)}`,
    at: '/',
  });
  if (form === undefined) return verb === '' ? page(html``) : { goTo: `/refused/${called}` };
  if (verb === 'explain' && parts.explain !== undefined) {
    const explained = await parts.explain(kept);
    return part ? { title: '', inside: explainedHtml(explained) } : page(html``, { canExplain, explained });
  }
  if (visitor.role !== 'act') return MAY_NOT;
  switch (verb) {
    case 'accept': {
      const accepted = await actions.accept(kept, form.has('stale'), visitor);
      if (accepted.accepted) return { goTo: `/deliveries/${accepted.seq}` };
      return page(notice('bad', `Not accepted: ${accepted.why}`));
    }
    case 'reveal':
      actions.record(visitor, `looked at what refused delivery ${kept.number} says`);
      return page(html``, { canExplain, revealed: true });
    default:
      return NOTHING;
  }
}

async function state(visit: Visit, [verb = '']: readonly string[]): Promise<Content> {
  const { parts, actions, visitor, form, part } = visit;
  const now = form === undefined ? await visit.state() : await lookAtState(parts);
  if (form !== undefined) {
    if (visitor.role !== 'act') return MAY_NOT;
    if (verb !== 'replay') return NOTHING;
    await actions.replayGroup(form.get('group') ?? '', now.dead, visitor);
    return { goTo: '/state' };
  }
  if (verb !== '') return NOTHING;
  const moving = stateHtml(parts, now, visitor);
  if (part) return { title: '', inside: moving };
  const inside = html`<div id="now" hx-get="/state" hx-trigger="every 3s" hx-swap="innerHTML">${moving}</div>
    ${standingHtml(parts, actions.done)}`;
  return { title: 'State', inside, at: '/state' };
}

async function further(
  { pages, query, form, visitor }: Visit,
  first: string,
  rest: readonly string[],
): Promise<Content> {
  const page = pages.find(({ path }) => path === first);
  if (page === undefined) return NOTHING;
  if (form !== undefined && visitor.role !== 'act') return MAY_NOT;
  return { title: page.title, inside: await page.show({ visitor, rest, query, form }), at: `/${first}` };
}
