import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { phenixid } from '../../../../src/kit/sources/phenixid/index.ts';
import { describeInBrowser, newPage } from '../../../support/browser.ts';
import { barriers, needsMoreThan } from './barriers.ts';
import { confirm, newConsole, openList } from './console.ts';
import { pages, storiedConsole } from './story.ts';

/** Walks through all of them, and finds nothing on any. */
async function expectNothing(page: Page, find: (page: Page) => Promise<string[]>): Promise<void> {
  const found: [string, string[]][] = [];
  for (const [name, go] of pages) {
    await go(page);
    found.push([name, await find(page)]);
  }
  expect(found.filter(([, what]) => what.length > 0)).toEqual([]);
}

describeInBrowser('Every page', () => {
  it('can be read by everybody, light or dark, on a wide screen or a narrow one', async () => {
    const { url } = await storiedConsole();
    await expectNothing(await newPage(url, { reducedMotion: 'reduce' }), async (page) => {
      await page.emulateMedia({ colorScheme: 'dark' });
      const narrow = [...(await needsMoreThan(page, 360)), ...(await barriers(page))];
      await page.emulateMedia({ colorScheme: 'light' });
      const medium = await needsMoreThan(page, 768);
      return [...narrow, ...medium, ...(await needsMoreThan(page, 1440)), ...(await barriers(page))];
    });
  });

  it('can be read without scripts', async () => {
    const { url } = await storiedConsole();
    await expectNothing(await newPage(url, { javaScriptEnabled: false }), (page) => needsMoreThan(page, 360));
  });
});

describeInBrowser('Without scripts', () => {
  it('deliveries are found and replayed', async () => {
    const { url, sender, receiver } = await newConsole({
      handlers: { phenixid: { OrderSigned: () => 'kept' } },
    });
    for (const type of ['OrderCreated', 'OrderSigned']) await sender.fire(phenixid, type);
    await receiver.app.idle();
    const page = await newPage(url, { javaScriptEnabled: false });
    await page.goto('/');
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
    await page.getByLabel('Event').selectOption('OrderSigned');
    await page.getByRole('button', { name: 'Show' }).click();
    expect(await page.locator('#rows > li').count()).toBe(1);
    await page.locator('#rows a').click();
    await confirm(page, 'Replay');
    await page.getByText('It waits to run once more.').waitFor();
    await receiver.app.idle();
    expect(receiver.log).toContainEqual(expect.objectContaining({ why: 'replayed entry 2' }));
  });
});

describeInBrowser('Rows that come', () => {
  it.each([
    ['reduce', 0],
    ['no-preference', 1],
  ] as const)('move as the visitor likes it: %s', async (reducedMotion, animations) => {
    const { url, sender } = await newConsole();
    const page = await openList(url, { reducedMotion });
    await page.evaluate(`
      globalThis.begun = 0;
      addEventListener('animationstart', () => { begun += 1; });`);
    await sender.fire(phenixid, 'OrderCreated');
    await page.locator('#rows > li.good').waitFor();
    expect(Math.min(1, await page.evaluate<number>('begun'))).toBe(animations);
  });
});
