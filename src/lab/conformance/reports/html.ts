import { hash } from 'node:crypto';
import type { CaseEnded, ExchangeSummary, RunEnded, Verdict } from '../result.ts';
import { groups } from '../rule.ts';
import { STYLE } from './html-style.ts';
import { Html, html } from './html-text.ts';
import { atTheEnd, byGroup, findingOf, troubles } from './report.ts';
import type { Report, RuleCases, Trouble, WholeRun } from './report.ts';

/** One page for people who did not start the run: the verdict, what is wrong, then everything. Needs no script. */
export function htmlReport(): Report {
  return atTheEnd((run) => `<!doctype html>\n${page(run).text}\n`);
}

/** Nothing is loaded, sent or run, whatever may have come into the page. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', STYLE, 'base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Apart from the rest: a formatter would add blanks to it, and its hash would not be that of the policy. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);

function page({ started, cases, ended }: WholeRun): Html {
  return html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${ended.verdict}: ${started.target}</title>
      ${STYLE_ELEMENT}
    </head>
    <body>
      <header>
        <h1 class="${ended.verdict === 'conformant' ? 'good' : 'bad'}">${HEADINGS[ended.verdict]}</h1>
        <p>${ended.says}</p>
        <p class="small">
          ${started.target}, ${started.sources.join(', ')}; level ${started.level}, seed ${started.seed};
          ${new Date(started.at).toISOString()}, ${(ended.ms / 1000).toFixed(1)} s; version ${started.version}
        </p>
        ${countsTable(ended)}
      </header>
      ${troubles(cases).map(
        ({ outcome, rules }) =>
          html`<section>
            <h2>${PROBLEMS[outcome]}</h2>
            ${rules.map(problem)}
          </section>`,
      )}
      <h2>All cases</h2>
      ${allCases(cases)}
    </body>
  </html>`;
}

const HEADINGS: Readonly<Record<Verdict, string>> = {
  conformant: 'The receiver is conformant',
  'not conformant': 'The receiver is not conformant',
  unreachable: 'The receiver could not be reached',
  inconclusive: 'The run proves nothing',
  interrupted: 'The run was interrupted',
  broken: 'The suite itself broke off',
};

function countsTable({ counts }: RunEnded): Html {
  const entries = Object.entries(counts);
  return html`<table>
    <tr>
      ${entries.map(([outcome]) => html`<th class="${outcome}">${outcome}</th>`)}
    </tr>
    <tr>
      ${entries.map(([, count]) => html`<td>${count}</td>`)}
    </tr>
  </table>`;
}

const PROBLEMS: Readonly<Record<Trouble, string>> = {
  failed: 'What failed',
  inconclusive: 'What is inconclusive',
  warned: 'What could be better',
  waived: 'What was waived',
};

function problem({ rule, cases }: RuleCases): Html {
  const source =
    rule.source === undefined
      ? html``
      : html`<dt>Where it is written</dt>
          <dd>${rule.source}</dd>`;
  return html`<article>
    <h3>A right receiver ${rule.title}.</h3>
    <p class="small">
      ${rule.id}, ${rule.severity}, ${cases.length === 1 ? '1 case' : `${cases.length} cases`}
    </p>
    <dl>
      <dt>Why it matters</dt>
      <dd>${rule.why}</dd>
      <dt>How to fix it</dt>
      <dd>${rule.fix}</dd>
      ${source}
    </dl>
    ${cases.map(caseInFull)}
  </article> `;
}

function caseInFull(one: CaseEnded): Html {
  const { endpoint, trial, reproduce, exchanges, id, outcome } = one;
  const again =
    reproduce.length === 0
      ? html``
      : html`<pre>${new Html(reproduce.map((line) => html`${line}`.text).join('\n'))}</pre>`;
  return html`<details>
    <summary><span class="${outcome}">${outcome}</span> ${endpoint}, ${trial}: ${findingOf(one)}</summary>
    <p class="small">${id}</p>
    ${again} ${exchanges.length === 0 ? html`` : exchangeTable(exchanges)}
  </details> `;
}

function exchangeTable(exchanges: readonly ExchangeSummary[]): Html {
  return html`<table>
    <tr>
      <th>Sent as</th>
      <th>Request</th>
      <th>Status</th>
      <th>ms</th>
      <th>Reply begins</th>
    </tr>
    ${exchanges.map(
      ({ role, request, bytes, status, ms, reply, sha256 }) =>
        html`<tr>
          <td>${role}</td>
          <td>
            <code>${request}</code>, ${bytes} bytes<br /><code class="small">${sha256.slice(0, 16)}</code>
          </td>
          <td>${status === 0 ? 'none' : status}</td>
          <td>${Math.round(ms)}</td>
          <td><code>${reply}</code></td>
        </tr> `,
    )}
  </table>`;
}

function allCases(cases: readonly CaseEnded[]): Html[] {
  return byGroup(cases).map(
    ([group, members]) =>
      html`<details>
        <summary>${group} ${groups[group]}: ${countsIn(members)}</summary>
        <table>
          ${members.map(
            (one) =>
              html`<tr>
                <td class="${one.outcome}">${one.outcome}</td>
                <td>${one.endpoint}</td>
                <td>${one.rule.title}: ${one.trial}<br /><code class="small">${one.id}</code></td>
                <td>${findingOf(one)}</td>
              </tr> `,
          )}
        </table>
      </details> `,
  );
}

function countsIn(cases: readonly CaseEnded[]): string {
  return [...Map.groupBy(cases, ({ outcome }) => outcome)]
    .map(([outcome, members]) => `${members.length} ${outcome}`)
    .join(', ');
}
