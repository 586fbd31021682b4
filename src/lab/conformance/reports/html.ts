import { hash } from 'node:crypto';
import type { CaseEnded, RunEnded, Verdict } from '../result.ts';
import { groups } from '../rule.ts';
import { findingsByGrade, hindered, waived } from './html-findings.ts';
import { STYLE } from './html-style.ts';
import { Html, html } from './html-text.ts';
import { notExamined, unseen } from './not-examined.ts';
import { atTheEnd, byGroup, findingOf, type Report, type WholeRun } from './report.ts';
import { threeSentences } from './summary.ts';

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

function page(run: WholeRun): Html {
  const { started, cases, ended } = run;
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
        <h1 class="${CLASSES[ended.verdict]}">${HEADINGS[ended.verdict]}</h1>
        <p>${ended.says}</p>
        ${threeSentences(run).map((sentence) => html`<p>${sentence}</p>`)} ${countsList(ended)}
        <p class="small">
          ${started.target}, ${started.sources.join(', ')}; level ${started.level}, grade asked for
          ${started.grade}, seed ${started.seed}; ${new Date(started.at).toISOString()},
          ${(ended.ms / 1000).toFixed(1)} s; version ${started.version}
        </p>
      </header>
      ${findingsByGrade(run)} ${hindered(cases)} ${waived(cases)} ${whatWasNotExamined(run)}
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

const CLASSES: Readonly<Record<Verdict, string>> = {
  conformant: 'good',
  'not conformant': 'bad',
  unreachable: 'open',
  inconclusive: 'open',
  interrupted: 'open',
  broken: 'open',
};

function countsList({ counts }: RunEnded): Html {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  return html`<ul class="counts">
    ${entries.map(([outcome, count]) => html`<li><strong>${count}</strong> <span class="${outcome}">${outcome}</span></li> `)}
  </ul>`;
}

function whatWasNotExamined(run: WholeRun): Html {
  const open = notExamined(run);
  return html`<section>
    <h2>What was not examined</h2>
    ${
      open.length === 0
        ? ''
        : html`<p>In this run:</p>
            <ul>
              ${open.map((what) => html`<li>${what}</li> `)}
            </ul>`
    }
    <p>In no run, since it cannot be seen from outside:</p>
    <ul>
      ${unseen.map(([what, why]) => html`<li><strong>${what}</strong>: ${why}.</li> `)}
    </ul>
  </section>`;
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
