import type { CaseEnded, ExchangeSummary } from '../result.ts';
import { gradeNames, grades, type Grade } from '../rule.ts';
import { Html, html } from './html-text.ts';
import { adviceFor } from './remedies/index.ts';
import { byRule, findingOf, hindrances, withOutcome, type RuleCases, type WholeRun } from './report.ts';

/** What failed and what could be better, grade by grade; one against which nothing speaks has a line. */
export function findingsByGrade({ cases, ended }: WholeRun): Html[] {
  return gradeNames.map((grade) => {
    const own = cases.filter(({ rule, outcome }) => rule.grade === grade && outcome !== 'skipped');
    const failed = byRule(withOutcome(own, 'failed'));
    const warned = byRule(withOutcome(own, 'warned'));
    return html`<section>
      <h2>${grade[0]?.toUpperCase() ?? ''}${grade.slice(1)}: ${grades[grade]}</h2>
      <p>${standOf(grade, own, ended.reached)}</p>
      ${failed.map((rule) => html`<article>${inFull(rule)}</article> `)} ${warned.map(remark)}
    </section>`;
  });
}

function standOf(grade: Grade, own: readonly CaseEnded[], reached: readonly Grade[]): Html {
  if (own.length === 0) return html`<span class="small">Not examined.</span>`;
  if (reached.includes(grade)) return html`<span class="good">Reached.</span>`;
  const speaks = withOutcome(own, 'failed', 'warned', 'inconclusive').length > 0;
  return speaks
    ? html`<span class="open">Not reached.</span>`
    : html`<span class="small">Nothing here speaks against it.</span>`;
}

/** Worth a look, and no failure. */
function remark(rule: RuleCases): Html {
  return html`<details class="remark">
    <summary><span class="warned">Remark</span>: a right receiver ${rule.rule.title}.</summary>
    ${inFull(rule)}
  </details> `;
}

/** Why so many cases prove nothing: that is one finding. */
export function hindered(cases: readonly CaseEnded[]): Html {
  const found = hindrances(cases);
  if (found.length === 0) return html``;
  return html`<section>
    <h2>What is inconclusive</h2>
    ${found.map(
      ([finding, hinderedCases]) =>
        html`<details class="remark">
          <summary><span class="inconclusive">${counted(hinderedCases.length)}</span> at ${finding}</summary>
          ${hinderedCases.slice(0, MOST_CASES).map(caseInFull)}
        </details> `,
    )}
  </section>`;
}

export function waived(cases: readonly CaseEnded[]): Html {
  const rules = byRule(withOutcome(cases, 'waived'));
  if (rules.length === 0) return html``;
  return html`<section>
    <h2>What was waived</h2>
    ${rules.map(
      (rule) =>
        html`<details class="remark">
          <summary><span class="waived">Waived</span>: a right receiver ${rule.rule.title}.</summary>
          ${inFull(rule)}
        </details> `,
    )}
  </section>`;
}

const MOST_CASES = 20;

function inFull({ rule, cases }: RuleCases): Html {
  const rest = cases.length - MOST_CASES;
  return html`<h3>A right receiver ${rule.title}.</h3>
    <p class="small">${rule.id}, ${rule.severity}, ${counted(cases.length)}</p>
    <dl>
      <dt>Why it matters</dt>
      <dd>${rule.why}</dd>
      <dt>How to fix it</dt>
      <dd>${rule.fix}${adviceOn(rule.id)}</dd>
      ${
        rule.source === undefined
          ? ''
          : html`<dt>Where it is written</dt>
              <dd>${linked(rule.source)}</dd>`
      }
    </dl>
    ${cases.slice(0, MOST_CASES).map(caseInFull)}
    ${rest > 0 ? html`<p class="small">… and ${counted(rest)} more; all of them are below.</p>` : ''}`;
}

function adviceOn(rule: string): Html {
  const advice = adviceFor(rule);
  if (advice === undefined) return html``;
  return html`<details>
    <summary>${advice.title}, in your framework</summary>
    ${advice.snippets.map(
      ([framework, snippet]) =>
        html`<details>
          <summary>${framework}</summary>
          ${preformatted(snippet.split('\n'))}
        </details> `,
    )}
  </details>`;
}

/** A source is one of the suite's own, or a file or page that it names. */
function linked(source: string): Html {
  return source.startsWith('https://')
    ? html`<a href="${source}" rel="noreferrer">${source}</a>`
    : html`${source}`;
}

function caseInFull(one: CaseEnded): Html {
  const { endpoint, trial, reproduce, exchanges, id, outcome } = one;
  return html`<details>
    <summary><span class="${outcome}">${outcome}</span> ${endpoint}, ${trial}: ${findingOf(one)}</summary>
    <p class="small">${id}</p>
    ${reproduce.length === 0 ? '' : preformatted(reproduce)}
    ${exchanges.length === 0 ? '' : exchangeTable(exchanges)}
  </details> `;
}

function preformatted(lines: readonly string[]): Html {
  return html`<pre>${new Html(lines.map((line) => html`${line}`.text).join('\n'))}</pre>`;
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

function counted(count: number): string {
  return count === 1 ? '1 case' : `${count} cases`;
}
