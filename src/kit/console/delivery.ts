import { setImmediate as immediately } from 'node:timers/promises';
import { deadLetterReasons } from '../errors.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { whyAndWhere } from '../failure.ts';
import { isFollowUp } from '../handling/handle.ts';
import type { Entry } from '../inbox/inbox.ts';
import { html, type Html } from '../reading/html.ts';
import { inUtf8, tryJson } from '../reading/json.ts';
import { readable } from '../receiver/receive.ts';
import { definitionOf } from '../source.ts';
import type { ConsoleParts } from './console.ts';
import { factsShownBy } from './facts.ts';
import type { NotedAttempt } from './journal.ts';
import { confirmed, duration, listed, section } from './layout.ts';
import type { Visitor } from './page.ts';
import { requestHtml } from './request.ts';
import { rowHtml, rowOfEntry, timeHtml, toneOf } from './row.ts';
import { findAccepted } from './taped.ts';
import { payloadHtml, schemaHtml } from './tree.ts';

/** One entry: the way it took, what it says, and what can be done about it. */
export async function deliveryHtml(
  parts: ConsoleParts,
  entry: Entry,
  visitor: Visitor,
  revealed: boolean,
): Promise<Html> {
  const others = (await neighbours(parts, entry)).map((one) => rowHtml(rowOfEntry(one)));
  const kept = parts.tape && (await findAccepted(parts.tape, entry));
  const came = kept === undefined ? UNTAPED : requestHtml(kept, revealed);
  return html`${actionsHtml(entry, visitor)} ${section('The way it took', wayHtml(parts, entry))}
  ${
    others.length === 0
      ? html``
      : section(
          'What belongs to it',
          html`<ol class="rows">
            ${others}
          </ol>`,
        )
  }
  ${section('What it says', contentHtml(parts, entry, visitor, revealed))} ${section('As it came', came)}
  ${section('What it shows of its sender', await factsShownBy(parts, entry, kept))}`;
}

const NEAR = 2_500;
const PAGE = 500;

/** Other entries of the same delivery, among those that came shortly before and after: there may be millions. */
async function neighbours({ inbox }: ConsoleParts, { seq, request }: Entry): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  if (request === undefined) return found;
  for (let before = seq + NEAR; before > seq - NEAR; before -= PAGE) {
    const page = await inbox.list({ before, limit: PAGE, bare: true });
    found.push(
      ...page.filter((one) => one.request === request && one.seq !== seq && one.seq >= before - PAGE),
    );
    await immediately(); // deliveries first
  }
  return found;
}

const UNTAPED = html`<p>
  Headers and bytes of accepted deliveries are kept with <code>TAPE=all</code> only.
</p>`;

function actionsHtml({ seq, status }: Entry, { role }: Visitor): Html {
  if (role !== 'act' || status === 'running') return html``;
  const replay = confirmed(
    `/deliveries/${seq}/replay`,
    'Replay',
    html`<p>Its handler runs once more, with a fresh count of attempts.</p>`,
  );
  const discard = confirmed(
    `/deliveries/${seq}/discard`,
    'Discard',
    html`<p>It is done then, and will not run.</p>
      <label>Why? <input name="reason" required maxlength="200" /></label>`,
  );
  return html`<div class="actions">${replay}${status === 'done' ? html`` : discard}</div>`;
}

function wayHtml({ journal }: ConsoleParts, entry: Entry): Html {
  const { seq, endpoint, receivedAt, subject, key, installation, eventId, request, status } = entry;
  const answered = journal.row(`e${seq}`);
  const { steps, attempts } = journal.historyOf(seq);
  const after = (ms: number | undefined) => (ms === undefined ? '' : `, in ${ms} ms`);
  return html`<ol class="way">
      <li><b>came</b> ${timeHtml(receivedAt)} to <code>${endpoint}</code></li>
      <li><b>${isFollowUp(entry) ? 'asked for' : 'proven'}</b> ${provenBy(entry)}${after(steps.proven)}</li>
      <li><b>read</b> ${entry.type === '?' ? 'not: what it says is no event' : `as ${entry.type}`}</li>
      <li><b>stored</b> as entry ${seq}${after(steps.stored)}</li>
      ${steps.handled !== undefined && html`<li><b>handled</b> while its sender waited${after(steps.handled)}</li>`}
      ${answered?.ms !== undefined && html`<li><b>replied</b> ${answered.word}, after ${answered.ms} ms in all</li>`}
      ${attempts.map(attemptHtml)}
      <li>
        <b><span class="chip ${toneOf(rowOfEntry(entry))}">${status}</span></b> ${stateWords(entry)}
      </li>
    </ol>
    ${(attempts.length === 0 || attempts.at(-1)?.note !== entry.note) && noteHtml(entry.note)}
    ${listed([
      ['id, as its sender says', eventId],
      ['subject', subject],
      ['key against duplicates', key],
      ['installation', installation],
      ['X-Request-Id', request],
    ])}`;
}

function provenBy(entry: Entry): string {
  if (isFollowUp(entry)) return `by a handler, as the step ${entry.type}`;
  if (entry.secret === 0) return 'without a secret';
  return entry.secret === 1
    ? 'by the newest secret'
    : `by an older secret, the ${entry.secret}. from the newest`;
}

function attemptHtml({ at, attempt, outcome, ms, note }: NotedAttempt): Html {
  return html`<li>
    <b>attempt ${attempt}</b> ${timeHtml(at)} ${outcome}, after ${ms} ms ${noteHtml(note)}
  </li>`;
}

function stateWords({ status, attempts, dueAt, finishedAt, leaseUntil, unchanged }: Entry): Html {
  const tried = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  if (status === 'waiting') return html`${tried} so far, due ${timeHtml(dueAt)}`;
  if (status === 'running')
    return html`attempt ${attempts},
    ${leaseUntil === undefined ? '' : `held for ${duration(leaseUntil - Date.now())} more`}`;
  const told = unchanged ? ', and it told nothing new' : '';
  return html`after ${tried}${told} ${finishedAt === undefined ? html`` : timeHtml(finishedAt)}`;
}

/** What was said of an attempt, where in the app it failed, and what to do about it. */
function noteHtml(note: string | undefined): Html {
  const { why, where } = whyAndWhere(note);
  if (why === undefined) return html``;
  const code = /^[a-z_]+(?=:)/.exec(why)?.[0] ?? '';
  const advice = Object.entries(deadLetterReasons).find(([name]) => name === code)?.[1];
  return html`<p class="said">${why}</p>
    ${where === undefined ? html`` : html`<pre>${where}</pre>`}
    ${advice === undefined ? html`` : html`<p>${advice}</p>`}`;
}

/** Larger ones are not compared with their schema: it would take too long, beside deliveries. */
const MOST_COMPARED = 262_144;

function contentHtml(parts: ConsoleParts, entry: Entry, { role }: Visitor, revealed: boolean): Html {
  const endpoint = parts.endpoints.find(({ definition }) => definition.path === entry.endpoint);
  const source = parts.sources.find(({ name }) => name === entry.source);
  const event = source && definitionOf(source, entry.type);
  const payload = payloadOf(entry, endpoint);
  const isLarge = entry.content.length > MOST_COMPARED;
  const ask =
    revealed || role !== 'act'
      ? html``
      : html`<form method="post" action="/deliveries/${entry.seq}/reveal">
          <button>Show the values</button>
          <small>They may be personal data: that you looked is recorded.</small>
        </form>`;
  const answer =
    entry.answer && revealed
      ? html`<h3>The answer</h3>
          <pre>${entry.answer.toString()}</pre>`
      : html``;
  const tree =
    payload === undefined
      ? html`<p class="notice warn">It cannot be read: ${entry.content.length} bytes.</p>
          ${revealed ? html`<pre>${inUtf8(entry.content).toString().slice(0, 20_000)}</pre>` : html``}`
      : payloadHtml(payload, isLarge ? undefined : event, !revealed);
  return html`${ask}
    <div class="beside">
      <div>
        <h3>Payload</h3>
        ${isLarge && html`<p>It is so large that what is unfamiliar in it is not marked.</p>`} ${tree}
      </div>
      ${
        event === undefined || isFollowUp(entry)
          ? html``
          : html`<div>
              <h3>Schema</h3>
              ${schemaHtml(event)}
            </div>`
      }
    </div>
    ${answer}`;
}

function payloadOf(entry: Entry, endpoint: Endpoint | undefined): unknown {
  if (isFollowUp(entry) || endpoint === undefined) return tryJson(entry.content.toString());
  return readable(endpoint, entry.content)?.payload;
}
