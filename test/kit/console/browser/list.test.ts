import { expect, it } from '@jest/globals';
import { phenixid } from '../../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../../src/kit/sources/risr/index.ts';
import { describeInBrowser, newPage } from '../../../support/browser.ts';
import { until } from '../../../support/until.ts';
import { newConsole, openList, untilLive } from './console.ts';

describeInBrowser('The list of deliveries', () => {
  it('shows a delivery within half a second of its reply', async () => {
    const { sender, url } = await newConsole();
    const page = await openList(url);
    await page.evaluate(`
      globalThis.seen = [];
      new MutationObserver(() => seen.push([rows.childElementCount, Date.now()])).observe(rows, { childList: true });
    `);
    const waits: number[] = [];
    for (const count of [1, 2, 3, 4, 5]) {
      await sender.fire(risr, 'user_registered', { id: `u${count}` });
      const replied = Date.now();
      await page.locator(`#rows > li:nth-child(${count})`).waitFor();
      const shown = await page.evaluate<number>(`seen.find(([number]) => number >= ${count})[1]`);
      waits.push(shown - replied);
    }
    expect(waits.toSorted((one, other) => one - other)[2]).toBeLessThanOrEqual(500);
    expect(Math.max(...waits)).toBeLessThan(5_000);
  });

  it('shows what becomes of a delivery in the row that it has', async () => {
    const handler = Promise.withResolvers<string>();
    const handlers = { phenixid: { OrderSigned: () => handler.promise } };
    const { sender, url } = await newConsole({ handlers });
    const page = await openList(url);
    await sender.fire(phenixid, 'OrderSigned');
    const row = page.locator('#rows > li');
    await row.getByText(/accepted, (waiting|running)/).waitFor();
    handler.resolve('order is signed');
    await row.getByText('order is signed').waitFor();
    expect(await row.count()).toBe(1);
    expect(await row.locator('.chip').innerText()).toBe('done');
  });

  it('lets only those in that its address asks for', async () => {
    const { sender, url } = await newConsole();
    const page = await openList(url);
    await page.getByLabel('Source').selectOption('phenixid');
    await page.waitForURL(/source=phenixid/);
    await untilLive(page);
    await sender.fire(risr, 'user_registered');
    await sender.fire(phenixid, 'OrderCreated');
    await page.getByText('OrderCreated', { exact: true }).and(page.locator('.event')).waitFor();
    expect(await page.locator('#rows .source').allInnerTexts()).toEqual(['phenixid']);
    await page.reload();
    expect(await page.locator('#rows .source').allInnerTexts()).toEqual(['phenixid']);
    await page.getByRole('link', { name: 'All' }).click();
    await page.locator('#rows .source', { hasText: 'risr' }).waitFor();
  });

  it('stands still while it is paused, and then shows what came', async () => {
    const { sender, url } = await newConsole();
    const page = await openList(url);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused.').waitFor();
    await sender.fire(risr, 'user_registered');
    await page.getByText(/Paused; \d+ changes? since/).waitFor();
    expect(await page.locator('#rows > li').count()).toBe(0);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.locator('#rows > li').waitFor();
    await untilLive(page);
  });

  it('is live even when the script that makes it so comes late', async () => {
    const { url } = await newConsole();
    const page = await newPage(url);
    await page.route('**/assets/sse.js', async (route) => {
      await until('htmx is there', () => page.evaluate<boolean>(`'htmx' in globalThis`));
      await page.evaluate(`new Promise((resolve) => setTimeout(resolve, 20))`);
      await route.continue();
    });
    await page.goto('/');
    await untilLive(page);
  });
});
