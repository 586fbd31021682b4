import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { phenixid } from '../../../../src/kit/sources/phenixid/index.ts';
import { describeInBrowser, newPage } from '../../../support/browser.ts';
import { newConsole, openList } from './console.ts';

/** What has the focus, in a word. */
function focused(page: Page): Promise<string> {
  return page.evaluate<string>(`(() => {
    const { id, name, innerText, href } = document.activeElement;
    return id || name || (href?.includes('/deliveries/') ? href.replace(/.*deliveries/, 'entry') : innerText);
  })()`);
}

async function press(page: Page, ...keys: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const key of keys) {
    await page.keyboard.press(key);
    found.push(await focused(page));
  }
  return found;
}

async function withThree() {
  const console = await newConsole({ handlers: { phenixid: { OrderSigned: () => 'kept' } } });
  const page = await openList(console.url);
  for (const taskId of ['a', 'b', 'c']) {
    await console.sender.fire(phenixid, 'OrderSigned', { payload: { taskId } });
    await console.receiver.app.idle();
  }
  await page.locator('#rows > li.good:nth-child(3)').waitFor();
  await page.locator('#rows > li.good:first-child').waitFor();
  return { ...console, page };
}

describeInBrowser('With the keyboard alone', () => {
  it('the content is reached at once, or everything in the order in which it is read', async () => {
    const { page } = await withThree();
    expect(await press(page, 'Tab', 'Enter')).toEqual(['To the content', 'main']);
    expect(await press(page, 'Tab')).toEqual(['search']);
    await page.reload();
    const way = await press(page, ...Array<string>(11).fill('Tab'));
    expect(way).toEqual([
      ...['To the content', 'advance-receiver-kit', 'Deliveries', 'State'],
      ...['search', 'source', 'type', 'state', 'Show', 'All', 'pause'],
    ]);
  });

  it('one walks through the list, searches it and stops it', async () => {
    const { page } = await withThree();
    expect(await press(page, 'j', 'j', 'j', 'j', 'k')).toEqual([
      ...['entry/3', 'entry/2', 'entry/1', 'entry/1', 'entry/2'],
    ]);
    expect(await press(page, 'p')).toEqual(['entry/2']);
    await page.getByText('Paused.').waitFor();
    expect(await press(page, 'p', '/')).toEqual(['entry/2', 'search']);
    await page.keyboard.type('/jkp');
    expect(await page.getByLabel('Search').inputValue()).toBe('/jkp');
    await page.getByLabel('Search').fill('#2');
    await page.keyboard.press('Enter');
    await page.waitForURL(/text=%232/);
    expect(await page.locator('#rows > li').count()).toBe(1);
    await press(page, 'j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'phenixid OrderSigned, entry 2' }).waitFor();
  });

  it('a delivery is replayed', async () => {
    const { page, url, receiver } = await withThree();
    await page.goto(`${url}/deliveries/1`);
    await press(page, 'Tab', 'Enter');
    expect(await press(page, 'Tab', 'Enter')).toEqual(['Replay…', 'Replay…']);
    await press(page, 'Tab');
    await page.keyboard.press('Enter');
    await page.getByText('It waits to run once more.').waitFor();
    expect(receiver.log).toContainEqual(expect.objectContaining({ why: 'replayed entry 1' }));
  });

  it('what has the focus is seen to have it', async () => {
    const { page } = await withThree();
    for (let pressed = 0; pressed < 14; pressed += 1) {
      await page.keyboard.press('Tab');
      const outline = await page.evaluate<string>(`getComputedStyle(document.activeElement).outlineStyle`);
      expect(outline).toBe('solid');
    }
  });
});

describeInBrowser('A token', () => {
  it('is typed without any click', async () => {
    const token = 'wRt5mQ2xLk8vN4pZc7Yb';
    const { url } = await newConsole({ env: { CONSOLE_TOKEN: `ada:${token}` }, development: false });
    const page = await newPage(url);
    await page.goto('/');
    await page.keyboard.type(token);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Deliveries' }).waitFor();
  });
});
