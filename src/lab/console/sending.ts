import { listed, notice, section } from '../../kit/console/layout.ts';
import type { Asked } from '../../kit/console/page.ts';
import { messageOf } from '../../kit/errors.ts';
import { Html, html } from '../../kit/reading/html.ts';
import type { Source, SwitchDefinition } from '../../kit/source.ts';
import { faultsOf } from '../mock/faults.ts';
import { readOrder, sendAsked } from '../mock/order.ts';
import { excerptOf, runText } from '../mock/report.ts';
import { takesNumbers } from '../mock/request.ts';
import type { Run } from '../mock/run.ts';
import type { Fired, Sender } from '../mock/sender.ts';
import { storyOf } from '../mock/story.ts';
import type { Mock } from '../stage/mock.ts';
import { pick, UsageError } from '../usage.ts';

/** Every event of every sender, with what can be changed about it. What was posted stands in the fields again. */
export function sendingHtml({ senders, receiver }: Mock, { visitor, rest, form }: Asked): Html {
  if (visitor.role !== 'act') return notice('warn', 'You may look, and not send.');
  const [, posted] = rest;
  return html`<p>They are sent to ${receiver.origin}, proven with its own secrets.</p>
    ${senders.map(({ source }) => section(source.title, formHtml(source, source.name === posted ? form : undefined)))}`;
}

/** What stands in a field: what was posted last, or what is usual. */
type Field = (name: string, usual: string) => string;

function formHtml(source: Source, form: URLSearchParams | undefined): Html {
  const field: Field = (name, usual) => form?.get(name) ?? usual;
  // Enter in a field takes the first button: this one, which does nothing.
  return html`<form method="post" action="/mock/send/${source.name}">
    <button disabled hidden></button>
    <details ${form !== undefined && new Html('open')}>
      <summary>How they are sent</summary>
      <div class="choices">
        ${choiceHtml('fault', 'Fault', faultOptions(source), field)}
        <label
          >Count <input type="number" name="count" min="1" max="1000" value="${field('count', '1')}"
        /></label>
        ${Object.entries(source.switches).map(([name, definition]) => switchHtml(name, definition, field))}
      </div>
    </details>
    <ul class="groups">
      ${storyOf(source).map((type) => html`<li>${eventHtml(source, type, field)}</li>`)}
    </ul>
  </form>`;
}

type Option = readonly [value: string, words: string];

function faultOptions(source: Source): Option[] {
  return [
    ['', 'none'],
    ...faultsOf(source).map(({ name, summary }): Option => [name, `${name}: ${summary}`]),
  ];
}

function switchHtml(name: string, definition: SwitchDefinition, field: Field): Html {
  const { values, text = '', summary } = definition;
  const posted = `switch.${name}`;
  const words = html`${name} <small>${summary}</small>`;
  if (values)
    return choiceHtml(
      posted,
      words,
      values.map((value) => [value, value]),
      field,
    );
  const type = takesNumbers(definition) ? 'number' : 'text';
  return html`<label
    >${words} <input type="${type}" name="${posted}" value="${field(posted, text)}"
  /></label>`;
}

/** The first is the usual one. */
function choiceHtml(name: string, words: string | Html, options: readonly Option[], field: Field): Html {
  const chosen = field(name, options[0]?.[0] ?? '');
  return html`<label
    >${words}
    <select name="${name}">
      ${options.map(([value, said]) => html`<option value="${value}" ${new Html(value === chosen ? 'selected' : '')}>${said}</option>`)}
    </select></label
  >`;
}

function eventHtml(source: Source, type: string, field: Field): Html {
  const { mode, summary, example } = source.events[type] ?? {};
  return html`<p>
      <button
        class="act"
        name="type"
        value="${type}"
        hx-post="/mock/send/${source.name}?part"
        hx-target="next .sent"
        aria-label="Send ${type}"
      >
        Send
      </button>
      <b>${type}</b> <span class="chip">${mode ?? ''}</span> ${summary ?? ''}
    </p>
    <details>
      <summary>Its payload</summary>
      <textarea name="payload.${type}" aria-label="Payload of ${type}" spellcheck="false">
${field(`payload.${type}`, JSON.stringify(example, undefined, 2))}</textarea>
    </details>
    <div class="sent" aria-live="polite"></div>`;
}

/** Sends what a form asks for, as the mock does; what cannot be sent is said. */
export async function send({ senders }: Mock, source: string, form: URLSearchParams): Promise<Html> {
  const type = form.get('type') ?? '';
  try {
    const named = senders.map((sender) => [sender.source.name, sender] as const);
    return sentHtml(await sendForm(pick('source', source, named), type, form), `${source} ${type}`);
  } catch (error) {
    // Whatever else is thrown is so for a payload that the source cannot write.
    const why = error instanceof UsageError ? '' : 'This payload cannot be written: ';
    return notice('bad', `Not sent. ${why}${messageOf(error)}`);
  }
}

function sendForm(sender: Sender, type: string, form: URLSearchParams): Promise<Fired | Run> {
  const payload = form.get(`payload.${type}`);
  const fault = form.get('fault') ?? '';
  const switches = [...form].flatMap(([name, value]) =>
    name.startsWith('switch.') ? [[name.slice('switch.'.length), value] as const] : [],
  );
  const asked = readOrder({
    ...(payload !== null && { payload: jsonIn(payload) }),
    ...(fault !== '' && { fault }),
    switches: Object.fromEntries(switches),
    count: Number(form.get('count') ?? '1'),
  });
  return sendAsked(sender, type, asked);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`The payload is not JSON: ${messageOf(error)}`);
  }
}

function sentHtml(sent: Fired | Run, what: string): Html {
  if (!('reply' in sent)) return html`<pre>${runText(sent, what)}</pre>`;
  const { verdict, request, reply, fault, proof, misfit, ms } = sent;
  return html`${verdictHtml(sent)}
  ${listed([
    ['request', `${request.method} ${request.target}, ${request.bytes} bytes`],
    [fault === undefined ? 'proof' : 'fault', fault === undefined ? proof : `${fault}: ${proof}`],
    ['does not fit', misfit],
    ['reply', reply ? `${reply.status} after ${reply.ms} ms` : `none after ${ms} ms`],
    ['answer', reply && excerptOf(reply)],
    ['verdict', verdict.says],
  ])}`;
}

/** Whether the reply is as it should be, with the way to the delivery. */
export function verdictHtml({ verdict, reply, type }: Fired): Html {
  const request = reply?.headers['x-request-id'];
  const chip = verdict.ok
    ? html`<span class="chip good">right</span>`
    : html`<span class="chip bad">wrong</span>`;
  if (typeof request !== 'string') return html`${chip} ${type}`;
  const address = `/?${new URLSearchParams({ text: request }).toString()}`;
  return html`${chip} <a href="${address}">${type}</a>`;
}
