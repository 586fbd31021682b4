import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { DeadLetter } from '../../../../src/kit/errors.ts';
import type { Inbox } from '../../../../src/kit/inbox/inbox.ts';
import type { Occurrence } from '../../../../src/kit/source.ts';
import { acme } from '../../../support/acme.ts';
import { describeInBrowser, newPage } from '../../../support/browser.ts';
import { later, newInboxUrl } from '../../../support/fixtures.ts';
import { newEntry } from '../../inbox/contract/entries.ts';
import { logIn, newConsole, openList } from './console.ts';

/** What a sender may write in the hope that somebody's browser takes it for more than text. Run, it is noticed. */
const hostile = [
  `<script>console.error('it ran')</script>`,
  `"><img src=x onerror="console.error('it ran')">`,
  `' autofocus onfocus='console.error("it ran")`,
  `javascript:console.error('it ran')`,
  `</textarea></pre></title></style><svg onload="alert('it ran')">`,
  `<a hx-get="/state" hx-trigger="load" hx-target="body" hx-on:click="console.error('it ran')">`,
  `{{constructor.constructor("console.error('it ran')")()}}`,
  `<!-- <template><base href="http://elsewhere.invalid/">`,
  `<meta http-equiv="refresh" content="0; url=http://elsewhere.invalid/">`,
  `&lt;script&gt;console.error('it ran')&lt;/script&gt;`,
  'to the left \u202E and \u2066 beyond',
  'control \u0000 \u0007 \u001B[31m \r\n data: \r\n\r\n characters \u2028',
  'half \uD800 of a character',
];
const all = [...hostile, 'x'.repeat(100_000)].join(' ');

/** What may stand in a head: on a path, and in a header. */
const inPath = hostile.join('').replaceAll(/[^!-~]/g, '');
const inHeader = hostile.join('').replaceAll(/[^ -~]/g, '');

const vast = {
  ...acme,
  limits: () => ({ maxBodyBytes: 16_777_216, deadlineMs: 1_000, onFailure: 'harmless' as const }),
};

/** A console to which all of it was sent, in every field that a sender chooses and in what handlers say. */
async function hostileConsole() {
  const console = await newConsole({
    env: { INBOX_URL: newInboxUrl(), TAPE: 'all' },
    sources: [vast],
    handlers: {
      acme: {
        'order.created'({ payload }: Occurrence<string, { orderId: string; lines: unknown[] }>) {
          if (payload.lines.length === 0) throw new DeadLetter('payload_invalid', payload.orderId);
          return payload.orderId;
        },
      },
    },
  });
  const { sender, receiver } = console;
  const send = async (id: string, orderId: string, lines: unknown, type = 'order.created') => {
    const data = { orderId, lines, [id]: { [orderId]: [orderId, { toString: id }] }, __proto__: null };
    const signed = await sender.sign(vast, 'order.created', JSON.stringify({ id, type, data }));
    const headers = {
      ...signed.headers,
      'User-Agent': inHeader,
      [`X-${inHeader.replaceAll(/\W/g, '')}`]: inHeader,
    };
    return sender.send({ ...signed, headers });
  };
  for (const [index, text] of hostile.entries())
    await send(`${index} ${text}`, text, [{ sku: text, count: 1 }]);
  await send(all, all, [{ sku: all, count: 1 }]);
  await send(`dead ${all}`, `${all} dead`, []);
  await send(`unknown ${all}`, all, [], all);
  await send(`misfit ${all}`, all, all);
  const request = await sender.request(vast, 'order.created');
  await sender.send({
    ...request,
    target: `/${inPath}?${inPath}`,
    headers: { ...request.headers, 'User-Agent': inHeader },
  });
  await receiver.app.idle();
  return console;
}

/** Nothing of it has become part of the page. */
async function expectPlainText(page: Page): Promise<void> {
  const strange =
    'main :is(script, img, svg:not(.bars), iframe, base, meta, style, template, [onerror], [onfocus], [hx-on\\:click])';
  expect(await page.locator(strange).count()).toBe(0);
  expect(await page.locator('head base, head meta[http-equiv]').count()).toBe(0);
}

describeInBrowser('What senders write', () => {
  it('is text in the list, as it comes and later', async () => {
    const console = await newConsole({
      sources: [vast],
      handlers: {
        acme: { 'order.created': ({ payload }: Occurrence<string, { orderId: string }>) => payload.orderId },
      },
    });
    const page = await openList(console.url);
    for (const text of hostile) {
      const data = { orderId: text, lines: [] };
      const content = JSON.stringify({ id: text, type: 'order.created', data });
      await console.sender.send(await console.sender.sign(vast, 'order.created', content));
    }
    await page.locator(`#rows > li.good:nth-child(${hostile.length})`).waitFor();
    await expectPlainText(page);
    await page.reload();
    await expectPlainText(page);
    const [first = ''] = hostile;
    expect((await page.locator('.about').allInnerTexts()).join()).toContain(first);
    expect((await page.locator('.note').allInnerTexts()).join()).toContain(first);
  });

  it('is text on every page, shown or not', async () => {
    const { url } = await hostileConsole();
    const page = await newPage(url);
    await page.goto('/');
    await expectPlainText(page);
    const rows = await page.evaluate<string[]>(
      `[...document.querySelectorAll('#rows a')].map(({ href }) => href)`,
    );
    for (const address of rows.slice(0, 5)) {
      await page.goto(address);
      await expectPlainText(page);
      await page.getByRole('button', { name: /^Show/ }).click();
      await page.waitForLoadState();
      await expectPlainText(page);
      await page.evaluate(`document.querySelectorAll('details').forEach((one) => { one.open = true; })`);
    }
    await page.goto('/state');
    await expectPlainText(page);
  });

  it('of visitors, too', async () => {
    const { url } = await newConsole();
    const page = await newPage(url);
    const words = (text: string) => encodeURIComponent(text.toWellFormed());
    for (const text of hostile) {
      await page.goto(
        `/?text=${words(text)}&source=${words(text)}&type=${words(text)}&state=${words(text)}&before=${words(text)}`,
      );
      await expectPlainText(page);
    }
    await page.goto(`/${words(inPath)}/${words(inPath)}`);
    await expectPlainText(page);
    const guarded = await newConsole({ env: { CONSOLE_TOKEN: 'wRt5mQ2xLk8vN4pZc7Yb' }, development: false });
    const login = await newPage(guarded.url);
    await logIn(login, inHeader);
    await login.getByText('Nobody has this token.').waitFor();
    await expectPlainText(login);
  });
});

/** The processor time of this process, which answers: other programs on this machine do not slow it down. */
async function msToAnswer(page: Page, address: string): Promise<number> {
  const before = process.cpuUsage();
  await page.goto(address);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

describeInBrowser('However much there is', () => {
  it('a payload of five megabytes is shown within two seconds', async () => {
    const { url, sender, receiver } = await newConsole({
      sources: [vast],
      handlers: { acme: { 'order.created': () => 'kept' } },
    });
    const lines = Array.from({ length: 50_000 }, (_, count) => ({
      sku: `pencil-${count}`.padEnd(80, '-'),
      count,
    }));
    const content = JSON.stringify({ id: '1', type: 'order.created', data: { orderId: 'o', lines } });
    expect(content.length).toBeGreaterThan(5_000_000);
    await sender.send(await sender.sign(vast, 'order.created', content));
    await receiver.app.idle();
    const page = await newPage(url);
    expect(await msToAnswer(page, '/deliveries/1')).toBeLessThan(2_000);
    await page.getByRole('button', { name: 'Show the values' }).click();
    await page.getByText('pencil-1-').waitFor();
  });

  it('an inbox of a hundred thousand is shown within two seconds', async () => {
    const slow = Promise.withResolvers<string>();
    const handlers = { phenixid: { OrderSigned: () => slow.promise } };
    const { url, receiver } = await newConsole({
      env: { INBOX_URL: newInboxUrl(), INBOX_MAX_WAITING: '200000' },
      handlers,
    });
    later(() => {
      slow.resolve('done at last');
    });
    await fill(receiver.app.inbox, 100_000);
    const page = await newPage(url);
    for (const address of [
      '/',
      '/?before=50000',
      '/?text=task-777',
      '/?type=OrderRejected',
      '/deliveries/50000',
      '/state',
    ])
      expect([address, (await msToAnswer(page, address)) < 2_000]).toEqual([address, true]);
  });
});

async function fill(inbox: Inbox, count: number): Promise<void> {
  const stored = Array.from({ length: count }, (_, index) =>
    inbox.store(
      newEntry({
        source: 'phenixid',
        endpoint: '/phenixid',
        type: 'OrderSigned',
        key: undefined,
        subject: `task-${index}`,
      }),
    ),
  );
  await Promise.all(stored);
}
