import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ProgramProcess } from '../../../src/lab/rig/program.ts';
import { inOneProcess } from '../../support/in-one-process.ts';
import { copyProject, type ProjectCopy } from '../../support/project-copy.ts';

// A source that `npm run new` has begun has neither the switches nor the headers of the three products.

const SECRET = 'a-secret-of-a-stamped-source-0123456789';
const JSON_CONTENT = 'JSON.stringify({ id, type, data: payload })';

/** Stamped sources, and what was then filled in. */
const senders: Readonly<Record<string, readonly (readonly [stamped: string, by: string])[]>> = {
  plain: [],
  hub: [
    ["'X-Signature'", "'X-Hub-Signature-256'"],
    ["prefix: ''", "prefix: 'sha256='"],
  ],
  short: [["'X-Signature'", "'signature'"]],
  authorized: [
    ["'X-Signature'", "'Authorization'"],
    ["encoding: 'hex'", "encoding: 'base64'"],
  ],
  listing: [
    [JSON_CONTENT, `JSON.stringify([{ id, type, data: payload }])`],
    ['readJson(content)', '(JSON.parse(content.toString()) as unknown[])[0]'],
  ],
  fielded: [
    [JSON_CONTENT, 'new URLSearchParams({ id, type, data: JSON.stringify(payload) }).toString()'],
    ['readJson(content)', 'Object.fromEntries(new URLSearchParams(content.toString()))'],
  ],
};

let copy: ProjectCopy;
const run = inOneProcess(() => copy.root);
let receiver: ProgramProcess;
let url: string;

beforeAll(async () => {
  copy = copyProject();
  const secrets: Record<string, string> = {};
  for (const [name, changes] of Object.entries(senders)) {
    const stamped = await run('new', ['source', `acme-${name}`]);
    expect(stamped).toMatchObject({ code: 0 });
    for (const [part, by] of changes) copy.replace(`src/app/sources/acme-${name}/index.ts`, part, by);
    secrets[`ACME_${name.toUpperCase()}_SECRET`] = `${SECRET}-${name}`;
  }
  copy.write(
    'secrets.env',
    Object.entries(secrets)
      .map((pair) => `${pair.join('=')}\n`)
      .join(''),
  );
  const settings = { PORT: '0', ADMIN_PORT: 'off', INBOX_URL: 'memory:', FAILED_PROOF_LIMIT: '1000000' };
  receiver = copy.start({ ...settings, ...secrets });
  url = await receiver.url();
});

afterAll(async () => {
  receiver.kill('SIGKILL');
  await receiver.ended;
  copy.remove();
});

it('tries every kind of source that can be stamped to the end, and leaves out what does not apply to it', async () => {
  const chosen = Object.keys(senders).flatMap((name) => ['--source', `acme-${name}`]);
  // Content is put in at three of them only, each in its own way.
  const content = ['plain', 'listing', 'fielded'].flatMap((name) => [
    `E*/acme-${name}/*`,
    `F*/acme-${name}/*`,
  ]);
  const only = ['B*', 'U*', ...content].flatMap((pattern) => ['--only', pattern]);
  const args = ['--url', url, '--secrets', 'secrets.env', ...chosen, ...only];
  const { code, output } = await copy.node('scripts/conform.ts', ...args);
  expect(output).toMatch(
    /^This sends some \d+ requests, \d+ MB in all, and runs the real handlers of .*INBOX_URL=memory:/,
  );
  expect(output).not.toContain('the suite itself failed');
  expect(output).toContain('Skipped: 3 cases, that is the name that this sender uses.');
  expect(output).toMatch(/^Conformant\. /m);
  expect(code).toBe(0);
});
