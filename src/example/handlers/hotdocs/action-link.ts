import { html, Html, json, writeAnswers, type answers } from '../../../kit/index.ts';
import type { HandlerSettings } from '../../tools.ts';
import type { WorkItem } from './work-items.ts';

interface PageWithScripts {
  readonly html: string;
  readonly scripts: string[];
}

/** Shows a work item. With an origin to talk to, it can hand answers to the window that opened it. */
export function workItemPage(
  workItem: WorkItem | undefined,
  known: answers.Answers,
  settings: HandlerSettings,
): PageWithScripts {
  const { HOTDOCS_ACTION_LINK_ORIGIN: origin, HOTDOCS_ACTION_LINK_MESSAGE: message } = settings;
  const title = workItem?.name ?? 'Nothing is kept of this work item yet';
  const documents = workItem?.versions.flatMap((version) => version.documents) ?? [];
  const list = documents.length === 0 ? [] : [listOf(documents)];
  if (origin === '' || Object.keys(known).length === 0) return { html: page(title, list), scripts: [] };
  const told = { origin, message, answers: JSON.parse(writeAnswers(known, 'A')) as unknown };
  return { html: page(title, [...list, handBack(told)]), scripts: [SCRIPT] };
}

function listOf(documents: readonly { readonly name: string }[]): Html {
  return html`<ul>
    ${documents.map(({ name }) => html`<li>${name}</li>`)}
  </ul>`;
}

/** A constant, so that the page's policy can name it by its hash: what differs stands beside it, as JSON. */
const SCRIPT = `
const { origin, message, answers } = JSON.parse(document.getElementById('told').textContent);
const say = (words) => { document.querySelector('output').textContent = words; };
document.querySelector('button').addEventListener('click', () => {
  if (!window.opener) return say('The interview is closed.');
  window.opener.postMessage({ type: message, answers }, origin);
  say('Sent to the interview.');
});
window.addEventListener('message', (event) => {
  if (event.origin !== origin || event.source !== window.opener) return;
  if (event.data?.type === message) say('Taken over by the interview.');
});
`;

function handBack(told: object): Html {
  return html`<p><button type="button">Use what we know of you</button> <output></output></p>
    <script type="application/json" id="told">
      ${json(told)}
    </script>
    ${new Html(`<script>${SCRIPT}</script>`)}`;
}

function page(title: string, content: readonly Html[]): string {
  return String(html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<body style="font-family: sans-serif">
<h1>${title}</h1>
${content}
</html>
`);
}
