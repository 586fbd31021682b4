import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { reports } from '../../../src/lab/conformance/reports/index.ts';
import type { Report } from '../../../src/lab/conformance/reports/report.ts';
import { unseen } from '../../../src/lab/conformance/reports/not-examined.ts';
import { adviceFor } from '../../../src/lab/conformance/reports/remedies/index.ts';
import { remedies, remedyOfRule, type Remedy } from '../../../src/lab/conformance/reports/remedies/remedy.ts';
import { terminalReport } from '../../../src/lab/conformance/reports/terminal.ts';
import type { RunEnded, RunEvent } from '../../../src/lab/conformance/result.ts';
import type { Grade } from '../../../src/lab/conformance/rule.ts';
import { rules } from '../../../src/lab/conformance/rules/index.ts';
import { projectFile } from '../../../src/lab/rig/program.ts';
import { findAll, readMarkup } from './markup.ts';
import { end, ended, HOSTILE, recorded, started, unreachable } from './recorded.ts';

const formats: readonly (readonly [string, () => Report])[] = [
  ...reports,
  ['terminal', () => terminalReport({ colour: false, columns: 0 })],
];

it.each(formats)(
  '%s lets nothing that a receiver answered steer a terminal or a build server',
  (_, create) => {
    const text = written(create(), recorded);
    expect(text).not.toMatch(/[\p{Cs}\p{Zl}\p{Zp}\p{Cf}]|(?!\n)\p{Cc}/u);
    expect(text).not.toMatch(/^\s*::/m);
    expect(text).not.toContain('##[');
    expect(text).not.toContain('##vso');
    expect(text).not.toContain('##teamcity');
  },
);

it.each(reports.filter(([format]) => format !== 'tap'))(
  '%s lets no markup of a receiver through',
  (_, create) => {
    const text = written(create(), recorded);
    expect(text).not.toMatch(/<\/?script|<img|]]>|-->/);
  },
);

it.each(formats)('%s does not look green when nothing answered', (format, create) => {
  const signs: Readonly<Record<string, RegExp>> = {
    ndjson: /"verdict":"unreachable"/,
    junit: /<testsuites .*errors="1"/,
    tap: /^Bail out! Nothing answers/m,
    ctrf: /"failed": 1/,
    html: /could not be reached/,
    markdown: /Receiver unreachable/,
    sarif: /"executionSuccessful": false/,
    badge: /webhook receiver: unreachable/,
    terminal: /Unreachable\. Nothing answers/,
  };
  expect(written(create(), unreachable)).toMatch(signs[format] ?? 'a sign for each format');
});

it('writes what it is told as NDJSON, a line each, as it comes', () => {
  const report = create('ndjson');
  const lines = recorded.map((event) => report(event));
  expect(lines.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true);
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual(wellFormed(recorded));
});

it('writes JUnit XML that parses, with every case and its outcome', () => {
  const root = readMarkup(written(create('junit'), recorded));
  // Nothing that the schema of Jenkins, junit-10.xsd, does not allow there.
  expect(root.attributes).toEqual({
    name: 'advance-receiver-kit conform',
    tests: '6',
    failures: '1',
    errors: '1',
    time: '4.567',
  });
  expect(
    root.children.map(({ name, attributes }) => [name, attributes['name'], attributes['tests']]),
  ).toEqual([
    ['testsuite', 'risr/profile_updated', '2'],
    ['testsuite', 'hotdocs/ActionLink', '4'],
  ]);
  expect(findAll(root, 'testcase')).toHaveLength(6);
  const [failure] = findAll(root, 'failure');
  expect(failure?.attributes).toMatchObject({
    type: 'critical',
    message: expect.stringContaining('</script>'),
  });
  expect(failure?.text).toMatch(/Why it matters: Anybody.*\nHow to fix it: Compare.*\nReproduce: curl/);
  expect(findAll(root, 'skipped').map(({ attributes }) => attributes['message'])).toEqual([
    expect.stringContaining('left out on demand'),
    expect.stringContaining('waived: known since May'),
  ]);
});

it('writes TAP 14: a plan that fits, directives, and blocks of YAML', () => {
  const lines = written(create('tap'), recorded).split('\n');
  const points = lines.filter((line) => /^(?:not )?ok /.test(line));
  expect(lines[0]).toBe('TAP version 14');
  expect(lines).toContain('1..6');
  expect(points.map((line) => /^(?:not )?ok \d+ - [\w-]+/.exec(line)?.[0])).toEqual([
    'ok 1 - A1-none',
    'not ok 2 - A7-guessable-key',
    'ok 3 - A9-kid',
    'ok 4 - A10-own-key',
    'not ok 5 - A11-crit',
    'not ok 6 - A12-unencoded',
  ]);
  expect(points.map((line) => /(?<!\\) # (\w+)/.exec(line)?.[1])).toEqual([
    ...[undefined, undefined, undefined],
    'SKIP',
    'TODO',
    undefined,
  ]);
  const blocks = lines.filter((line) => line.startsWith('  ') && !/^ {2}(?:---|\.\.\.)$/.test(line));
  expect(blocks.length).toBeGreaterThan(20);
  // Each value is JSON, which is YAML.
  for (const line of blocks) expect(() => void JSON.parse(line.replace(/^ {2}\w+: /, ''))).not.toThrow();
  expect(lines.filter((line) => line === '  ---')).toHaveLength(4);
  expect(lines.filter((line) => line === '  ...')).toHaveLength(4);
});

it('writes CTRF with all members that its schema demands, and counts that fit', () => {
  const document = JSON.parse(written(create('ctrf'), recorded)) as Ctrf;
  expect(document).toMatchObject({
    reportFormat: 'CTRF',
    specVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    results: {
      tool: { name: expect.stringMatching(/./), version: '1.2.3' },
      summary: { tests: 6, passed: 2, failed: 1, skipped: 2, pending: 0, other: 1, start: started.at },
    },
  });
  const { summary, tests } = document.results;
  expect(summary['stop']).toBe(started.at + 4567);
  for (const test of tests) {
    expect(test).toMatchObject({
      name: expect.stringMatching(/./),
      status: expect.stringMatching(/^(?:passed|failed|skipped|pending|other)$/),
      duration: 12,
      suite: [expect.any(String), expect.any(String)],
    });
  }
});

it('writes SARIF 2.1.0: a result for what failed, was warned of or waived, and the rules of these', () => {
  const document = JSON.parse(written(create('sarif'), recorded)) as Sarif;
  expect(document).toMatchObject({ version: '2.1.0', $schema: expect.stringContaining('sarif-2.1.0') });
  const [run] = document.runs;
  expect(run?.tool.driver.name).toMatch(/./);
  expect(run?.invocations).toEqual([expect.objectContaining({ executionSuccessful: true })]);
  const rules = run?.tool.driver.rules ?? [];
  expect(rules.map(({ id }) => id)).toEqual(['A7-guessable-key', 'A9-kid', 'A11-crit']);
  const results = run?.results ?? [];
  expect(results.map(({ level }) => level)).toEqual(['error', 'note', 'note']);
  for (const result of results) {
    expect(rules[result.ruleIndex]?.id).toBe(result.ruleId);
    expect(result.message.text).toMatch(/expected/);
    expect(result.locations).toHaveLength(1);
  }
  expect(results[2]).toMatchObject({ suppressions: [{ kind: 'external', status: 'accepted' }] });
});

it('writes a page that says the verdict first, then three sentences, then by grade what is wrong and how to mend it', () => {
  const page = written(create('html'), recorded);
  const root = readMarkup(page);
  const { text } = root;
  const order = [
    'The receiver is not conformant',
    '1 case failed of 5.',
    'On 2026-01-31, 5 trials were made at 2 endpoints of http://127.0.0.1:3000, as hotdocs and risr send',
    'It breaks one rule, of severity critical: a right receiver refuses',
    'First, mend this: Compare the signature with one of your own.',
    'Authentic: only what is genuine has an effect',
    'Not reached.',
    'Anybody could send events.',
    'Compare the signature with one of your own.',
    'Leave tokens to a library',
    'Spring',
    'JWSAlgorithm.HS256',
    "npm run conform -- --seed 42 --case 'A7-guessable-key/risr/profile_updated/empty'",
    'Remark: a right receiver',
    'Durable: ',
    'Not examined.',
    'What is inconclusive',
    '1 case at hotdocs/ActionLink: expected 401',
    'What was waived',
    'What was not examined',
    'That takes a way to restart it (level 3).',
    'Memory that is not given back',
    'All cases',
    'A1-none/risr/profile_updated/alg-none',
  ];
  // Each of them somewhere behind the one before.
  const places = order.reduce<number[]>((found, words) => [...found, text.indexOf(words, found.at(-1))], []);
  expect(order.filter((_, index) => (places[index] ?? -1) < 0)).toEqual([]);
});

it('writes a page that runs and loads nothing, links to what rules are written in, and whose style is the one that its policy allows', () => {
  const root = readMarkup(written(create('html'), recorded));
  const [style] = findAll(root, 'style');
  const policy = findAll(root, 'meta').find(({ attributes }) => attributes['http-equiv'] !== undefined);
  expect(policy?.attributes['content']).toContain("default-src 'none'");
  expect(policy?.attributes['content']).toContain(`'sha256-${hash('sha256', style?.text ?? '', 'base64')}'`);
  expect(style?.text).toContain('color-scheme: light dark');
  for (const name of ['script', 'img', 'link', 'iframe']) expect(findAll(root, name)).toEqual([]);
  const links = findAll(root, 'a').map(({ attributes }) => attributes['href']);
  expect(new Set(links)).toEqual(new Set(['https://www.rfc-editor.org/rfc/rfc7515#section-5.2']));
});

it('shows no failure where there are remarks only', () => {
  const remarks = [started, ended('U6-no-fingerprint/risr/x/every-reply', 'warned')];
  const root = readMarkup(
    written(create('html'), [...remarks, end('conformant', 'All passed.', { warned: 1 })]),
  );
  expect(findAll(root, 'article')).toEqual([]);
  expect(findAll(root, 'h1')).toMatchObject([{ attributes: { class: 'good' } }]);
  expect(root.text).toMatch(/Nothing has to be done\. If anything, this: Compare/);
});

it.each<[RunEnded['verdict'], readonly Grade[], string]>([
  ['conformant', ['authentic', 'durable', 'correct'], 'correct'],
  ['not conformant', ['authentic'], 'authentic only'],
  ['not conformant', [], 'not conformant'],
  ['inconclusive', [], 'inconclusive'],
])('draws a small badge, with a title: %s, reached %j', (verdict, reached, words) => {
  const picture = written(create('badge'), [started, { ...end(verdict, '', {}), reached }]);
  expect(picture.length).toBeLessThan(2_000);
  const root = readMarkup(picture);
  expect(findAll(root, 'title').map(({ text }) => text)).toEqual([`webhook receiver: ${words}`]);
  expect(root.attributes).toMatchObject({ role: 'img', 'aria-label': `webhook receiver: ${words}` });
  expect(picture).not.toMatch(/href|url\(|@import/);
});

it('says in the README what it says in every report of what nobody can see', () => {
  const readme = readFileSync(projectFile('src/lab/conformance/README.md'), 'utf8');
  const rows = unseen.map(([what, why]) => `| ${what} | ${why} |`);
  expect(rows.filter((row) => !readme.includes(row))).toEqual([]);
});

it('has advice for the faults that every rule finds, or says that there is none', () => {
  const fits = (id: string) => remedyOfRule.filter(([pattern]) => pattern.test(id));
  expect(rules.filter(({ id }) => fits(id).length === 0)).toEqual([]);
  const used = rules.map(({ id }) => fits(id)[0]?.[1]);
  expect(Object.keys(remedies).filter((remedy) => !used.includes(remedy as Remedy))).toEqual([]);
  const snippets = adviceFor('B1-missing')?.snippets ?? [];
  expect(snippets.map(([framework]) => framework)).toEqual(
    'Express Fastify Spring ASP.NET Flask Go'.split(' '),
  );
});

it('writes a summary in Markdown that stays short however much failed', () => {
  const many = Array.from({ length: 5_000 }, (_, index) =>
    ended(`A${index % 100}-rule/risr/profile_updated/trial-${index}`, 'failed', { observed: HOSTILE }),
  );
  const run = [started, ...many, end('not conformant', '5000 cases failed of 5000.', { failed: 5_000 })];
  const text = written(create('markdown'), run);
  expect(text.length).toBeLessThan(100_000);
  expect(text).toContain('… and 80 more rules');
  expect(text).toContain('… and 45 more cases');
  expect(text).toMatch(/^\| A Tokens \| 0 \| 0 \| 5000 \|/m);
});

it('shows a failure on the terminal as it happens, and what to do about it in the end', () => {
  const report = terminalReport({ colour: false, columns: 0 });
  const texts = recorded.map((event) => report(event));
  expect(texts[0]).toContain('6 cases for hotdocs, risr at http://127.0.0.1:3000, level 2, seed 42.');
  expect(texts.slice(1, -1).map((text) => text.split('\n').length - 1)).toEqual([0, 1, 0, 0, 0, 0]);
  expect(texts.at(-1)).toMatch(
    /Why it matters: Anybody.*\n.*How to fix it: .*Compare.*\n.*\n.*Reproduce: .*curl/,
  );
  expect(texts.at(-1)).toMatch(/^Skipped: 1 case, left out on demand/m);
  expect(texts.at(-1)).toMatch(/Not conformant\. 1 case failed of 5\. \(4\.6 s\)\n$/);
});

it('writes progress over itself where there is a terminal, never wider than that', () => {
  const report = terminalReport({ colour: true, columns: 30 });
  const texts = recorded.map((event) => report(event));
  expect(texts[1]).toBe('\r\u001b[2K1/6 A1-none risr/profile_upd…');
  expect(texts[2]).toContain('\u001b[31m✗');
  expect(texts.at(-1)?.startsWith('\r\u001b[2K')).toBe(true);
});

it.each(formats)('%s is the same for the same run', (_, create) =>
  expect(written(create(), recorded)).toBe(written(create(), recorded)),
);

interface Ctrf {
  readonly results: { readonly summary: Readonly<Record<string, number>>; readonly tests: readonly object[] };
}

interface Sarif {
  readonly runs: readonly {
    readonly tool: {
      readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] };
    };
    readonly invocations: readonly object[];
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly message: { readonly text: string };
      readonly locations: readonly object[];
    }[];
  }[];
}

function create(format: string): Report {
  const found = reports.find(([name]) => name === format);
  if (found === undefined) throw new Error(`There is no report ${format}.`);
  return found[1]();
}

function written(report: Report, run: readonly RunEvent[]): string {
  return run.map((event) => report(event)).join('');
}

/** Half a character cannot be written down; everything else comes back as it was. */
function wellFormed(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll('\\ud800', '\ufffd'));
}
