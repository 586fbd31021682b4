import { z } from 'zod';
import { DeadLetter } from '../../../../src/kit/errors.ts';
import { phenixid } from '../../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../../src/kit/sources/risr/index.ts';
import type { Occurrence } from '../../../../src/kit/source.ts';
import { defineStep, runs } from '../../../../src/kit/step.ts';
import type { Page } from 'playwright-core';
import { later, newInboxUrl } from '../../../support/fixtures.ts';
import { until } from '../../../support/until.ts';
import { newConsole, type TestConsole } from './console.ts';

const mail = defineStep('mail', z.object({ to: z.string() }));

/** A console with deliveries of every kind. */
export async function storiedConsole(): Promise<TestConsole> {
  const slow = Promise.withResolvers<string>();
  const console = await newConsole({
    env: { INBOX_URL: newInboxUrl(), TAPE: 'all', ...tokens },
    development: false,
    handlers: {
      phenixid: {
        OrderCreated: () => 'the order is kept in the archive, under the number that it has there',
        OrderSigned: () => {
          throw new DeadLetter('payload_invalid', 'The archive has no shelf for it.');
        },
        OrderRejected: () => {
          throw new Error('The archive is closed today.');
        },
        OrderExpired: () => slow.promise,
      },
      risr: {
        profile_updated: ({ followUp }: Occurrence) => {
          followUp(mail, { to: 'ada' });
          return 'profile noted';
        },
      },
    },
    steps: [runs(mail, ({ data: { to } }) => `mailed to ${to}`)],
  });
  later(() => {
    slow.resolve('done at last');
  });
  await tell(console);
  return console;
}

const ADA = 'wRt5mQ2xLk8vN4pZc7Yb';
const tokens = { CONSOLE_TOKEN: `ada:${ADA}`, CONSOLE_LOOK_TOKEN: 'ben:hG3sDf9aJq6uE1iXo0Tr' };

async function tell({ sender, receiver: { app } }: TestConsole): Promise<void> {
  await sender.fire(phenixid, 'OrderCreated', { payload: { taskId: 'a' } });
  await sender.fire(phenixid, 'OrderSigned', { payload: { taskId: 'b' } });
  await sender.fire(risr, 'profile_updated');
  const twice = await sender.request(risr, 'user_registered');
  for (const request of [twice, twice]) await sender.send(request);
  const unfamiliar = { taskId: 7, members: { added: ['later', null, true] } };
  await sender
    .sign(phenixid, 'OrderAccepted', JSON.stringify({ eventType: 'OrderAccepted', ...unfamiliar }))
    .then((request) => sender.send(request));
  await sender.fire(phenixid, 'OrderRejected', { payload: { taskId: 'c' } });
  await sender.fire(phenixid, 'OrderExpired', { payload: { taskId: 'd' } });
  await sender.fire(phenixid, 'OrderSigned', { payload: { taskId: 'e' }, secret: 'x'.repeat(40) });
  const elsewhere = await sender.request(phenixid, 'OrderSigned');
  await sender.send({ ...elsewhere, target: '/nowhere' });
  await until('it is all told', async () => {
    const { done, dead, running } = await app.inbox.stats();
    return done >= 4 && dead === 2 && running === 1;
  });
}

/** Every page that there is, one after the other: how it is reached, and what it is called. */
export const pages: readonly (readonly [name: string, go: (page: Page) => Promise<unknown>])[] = [
  ['login', (page) => page.goto('/')],
  [
    'login refused',
    (page) => submit(page, 'Log in', () => page.getByLabel('Token').fill('nobody has this token')),
  ],
  ['list', (page) => submit(page, 'Log in', () => page.getByLabel('Token').fill(ADA))],
  ['list of a search', (page) => page.goto('/?text=archive&state=dead')],
  ['empty list', (page) => page.goto('/?text=nowhere+to+be+found')],
  ['older list', (page) => page.goto('/?before=3')],
  ['done', (page) => page.goto('/deliveries/1')],
  ['dead', (page) => page.goto('/deliveries/2')],
  ['dead and shown', (page) => submit(page, 'Show the values')],
  ['dead, of another form', (page) => openRow(page, 'OrderAccepted')],
  ['about to be discarded', (page) => page.getByText('Discard…').click()],
  ['tried again', (page) => openRow(page, 'OrderRejected')],
  ['running', (page) => openRow(page, 'OrderExpired')],
  ['with a follow-up', (page) => openRow(page, 'profile_updated')],
  ['follow-up', (page) => openRow(page, 'mail')],
  ['refused', (page) => openRefused(page)],
  ['refused and explained', (page) => explain(page)],
  ['refused and shown', (page) => submit(page, 'Show what it says')],
  ['refused for its path', (page) => openRow(page, '–')],
  ['not on the tape', (page) => page.goto('/refused/4711')],
  ['state', (page) => page.goto('/state')],
  ['about to replay a group', (page) => page.getByText('Replay it…').first().click()],
  ['not found', (page) => page.goto('/nothing')],
];

async function submit(page: Page, button: string, fill?: () => Promise<void>): Promise<void> {
  await fill?.();
  await page.getByRole('button', { name: button }).click();
  await page.waitForLoadState();
}

async function openRow(page: Page, event: string): Promise<void> {
  await page.goto('/');
  await page
    .locator('.row', { has: page.locator('.event').getByText(event, { exact: true }) })
    .first()
    .locator('a')
    .click();
  await page.waitForURL(/deliveries|refused/);
}

async function openRefused(page: Page): Promise<void> {
  await page.goto('/');
  await page.getByText('proof_mismatch').click();
  await page.waitForURL(/refused/);
}

async function explain(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Explain it' }).click();
  await page.locator('#explained pre').waitFor();
}
