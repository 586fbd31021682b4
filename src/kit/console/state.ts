import { credentialVariable, isOpen, type EndpointConfig } from '../endpoint/definition.ts';
import { findingsOf, type Finding } from '../facts/findings.ts';
import { whyAndWhere } from '../failure.ts';
import type { Entry, Stats } from '../inbox/inbox.ts';
import { html, type Html } from '../reading/html.ts';
import type { Done } from './actions.ts';
import { barsHtml } from './chart.ts';
import type { ConsoleParts } from './console.ts';
import { confirmed, duration, section } from './layout.ts';
import type { Visitor } from './page.ts';
import { timeHtml } from './row.ts';

/** What is looked at together. */
export interface State {
  readonly stats: Stats;
  readonly reasons: readonly string[];
  /** The newest of them; more are counted, not looked at. */
  readonly dead: readonly Entry[];
  readonly waiting: readonly Entry[];
  readonly differing: readonly Finding[];
}

const MOST = 1_000;

export async function lookAtState({ inbox, readiness, counts, sources }: ConsoleParts): Promise<State> {
  const newest = (status: 'dead' | 'waiting') => inbox.list({ status, limit: MOST, bare: true });
  const [stats, reasons] = await Promise.all([inbox.stats(), readiness.reasons()]);
  const [dead, waiting] = [await newest('dead'), await newest('waiting')];
  const seen = await counts();
  const findings = sources.flatMap((source) => findingsOf(source, seen));
  return { stats, reasons, dead, waiting, differing: findings.filter(({ state }) => state === 'differs') };
}

/** Dead letters of one cause. */
export interface DeadGroup {
  readonly name: string;
  readonly source: string;
  readonly type: string;
  readonly cause: string;
  /** Oldest first. */
  readonly seqs: readonly number[];
}

export function groupsOf(dead: readonly Entry[]): readonly DeadGroup[] {
  const groups = Map.groupBy(dead.toReversed(), (entry) =>
    JSON.stringify([entry.source, entry.type, causeOf(entry)]),
  );
  return [...groups]
    .flatMap(([name, [first, ...others]]) =>
      first === undefined
        ? []
        : [
            {
              name,
              source: first.source,
              type: first.type,
              cause: causeOf(first),
              seqs: [first, ...others].map(({ seq }) => seq),
            },
          ],
    )
    .sort((one, other) => other.seqs.length - one.seqs.length);
}

/** What failed, without the numbers and names that differ from one to the next. */
function causeOf({ note }: Entry): string {
  const { why = 'no cause is known' } = whyAndWhere(note);
  return why.slice(0, 200).replaceAll(/"[^"]*"|'[^']*'|[\w-]*\d[\w-]*/g, '…');
}

/** The parts that change by themselves; the page asks for them again and again. */
export function stateHtml(parts: ConsoleParts, state: State, visitor: Visitor): Html {
  const { stats, reasons, dead } = state;
  const { waiting, running, done, oldestWaitingAt } = stats;
  const age = oldestWaitingAt === undefined ? '–' : duration(Date.now() - oldestWaitingAt);
  const tile = (words: string, value: string, tone = '') =>
    html`<li class="tile ${tone}"><b>${value}</b> ${words}</li>`;
  const minutes = parts.journal.minutes();
  return html`<p class="lead">
      ${reasons.length === 0 ? html`<span class="chip good">ready</span> It takes deliveries.` : html`<span class="chip bad">not ready</span> ${reasons.join(', ')}`}
    </p>
    <ul class="tiles">
      ${[tile('waiting', String(waiting)), tile('running', String(running)), tile('done', String(done)), tile('dead', String(stats.dead), stats.dead > 0 ? 'bad' : ''), tile('oldest waiting', age), tile('facts differ', String(state.differing.length), state.differing.length > 0 ? 'warn' : '')]}
    </ul>
    ${section(
      'The last hour',
      html`<div class="charts">
          ${barsHtml(
            'Accepted each minute',
            minutes.map((minute) => minute.accepted),
            'good',
          )}
          ${barsHtml(
            'Refused each minute',
            minutes.map((minute) => minute.refused),
            'bad',
          )}
          ${barsHtml(
            'Handlers, ms on average',
            minutes.map(({ handled, handlerMs }) => (handled === 0 ? 0 : Math.round(handlerMs / handled))),
            'wait',
          )}
        </div>
        <p><small>As this process saw it, since it was started.</small></p>`,
    )}
    ${section('Waiting, by source', waitingHtml(parts, state))}
    ${state.differing.length > 0 && section('Facts that differ from what was assumed', differingHtml(state.differing))}
    ${section('Dead letters, by cause', deadHtml(groupsOf(dead), stats.dead, visitor))}`;
}

function differingHtml(findings: readonly Finding[]): Html {
  return html`<ul class="facts">
      ${findings.map(({ fact, seen }) => html`<li><b>${fact.id}</b> ${fact.what}: ${fact.assumed.join(' or ')} was assumed, and <code>${seen.map(({ variant, count }) => `${variant} ${count}`).join(', ')}</code> came</li>`)}
    </ul>
    <p><code>npm run facts</code> says what to do about it.</p>`;
}

function waitingHtml({ sources }: ConsoleParts, { waiting, stats }: State): Html {
  if (waiting.length === 0) return html`<p>Nothing waits.</p>`;
  const counts = Map.groupBy(waiting, ({ source }) => source);
  const more = stats.waiting > waiting.length ? html`<p>Of the newest ${waiting.length}.</p>` : html``;
  return html`<ul class="tiles">
      ${sources.map(({ name, title }) => html`<li class="tile"><b>${String(counts.get(name)?.length ?? 0)}</b> ${title}</li>`)}
    </ul>
    ${more}`;
}

function deadHtml(groups: readonly DeadGroup[], all: number, { role }: Visitor): Html {
  if (groups.length === 0) return html`<p>There are none.</p>`;
  const shown = groups.reduce((sum, { seqs }) => sum + seqs.length, 0);
  const more = all > shown ? html`<p>Of the newest ${shown}; there are ${all}.</p>` : html``;
  return html`<ul class="groups">
      ${groups.map((group) => groupHtml(group, role === 'act'))}
    </ul>
    ${more}`;
}

function groupHtml({ name, source, type, cause, seqs }: DeadGroup, mayAct: boolean): Html {
  const list = new URLSearchParams({ source, type, state: 'dead' }).toString();
  const replay = confirmed(
    '/state/replay',
    seqs.length === 1 ? 'Replay it' : `Replay all ${seqs.length}`,
    html`<p>Their handlers run once more, oldest first, each with a fresh count of attempts.</p>`,
    html`<input type="hidden" name="group" value="${name}" />`,
  );
  return html`<li>
    <p><b>${seqs.length}</b> <a href="/?${list}">${source} ${type}</a></p>
    <p class="said">${cause}</p>
    ${mayAct ? replay : html``}
  </li>`;
}

/** The parts that stay as they are until somebody does something about them. */
export function standingHtml(parts: ConsoleParts, actions: readonly Done[]): Html {
  const { notWritten } = parts;
  const left = [...notWritten].filter(([, types]) => types.length > 0);
  return html`${section('Endpoints', endpointsHtml(parts))}
  ${section(
    'Handlers that are not written',
    left.length === 0
      ? html`<p>All are written.</p>`
      : html`<ul>
          ${left.map(([{ title }, types]) => html`<li>${title}: ${types.join(', ')}</li>`)}
        </ul>`,
  )}
  ${section(
    'What was done here',
    actions.length === 0
      ? html`<p>Nothing yet, since this process was started. The log keeps all of it.</p>`
      : html`<ul>
          ${actions.toReversed().map(({ at, who, what }) => html`<li>${timeHtml(at)} <b>${who}</b> ${what}</li>`)}
        </ul>`,
  )}`;
}

function endpointsHtml({ configs, journal }: ConsoleParts): Html {
  return html`<ul class="endpoints">
      ${configs().map((config) => html`<li>${endpointHtml(config, journal.proofs)}</li>`)}
    </ul>
    <p>
      <small
        >When a secret was last needed is told since this process was started; <code>npm run keys</code> knows
        it from the inbox.</small
      >
    </p>`;
}

function endpointHtml(config: EndpointConfig, proofs: ReadonlyMap<string, number>): Html {
  const { path } = config.definition;
  if (!isOpen(config))
    return html`<code>${path}</code> <span class="chip">closed</span> ${credentialVariable(config)} opens it`;
  const live = Math.max(0, ...config.credentials.values().map(({ texts }) => texts.length));
  const used = Array.from({ length: live }, (_, index) => {
    const at = proofs.get(`${path} ${index + 1}`);
    const which = live === 1 ? 'its secret' : index === 0 ? 'the newest secret' : `secret ${index + 1}`;
    return html` <small
      >${which}: ${at === undefined ? 'not needed yet' : html`last needed ${timeHtml(at)}`}</small
    >`;
  });
  return html`<code>${path}</code> <span class="chip good">open</span>${used}`;
}
