import { expect, it } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { stagedExample } from '../../../../src/example/staged.ts';
import { setUp, type Stage } from '../../../../src/lab/stage/stage.ts';
import { describeInBrowser, newPage } from '../../../support/browser.ts';
import { later, newFolder } from '../../../support/fixtures.ts';
import { barriers, needsMoreThan } from './barriers.ts';

async function openMock(options?: BrowserContextOptions): Promise<{ stage: Stage; page: Page }> {
  const stage = await setUp(stagedExample, newFolder(), { fleeting: true, env: { ADMIN_PORT: '0' } });
  later(() => stage.tearDown());
  const page = await newPage(stage.app.adminUrl ?? '', options);
  await page.goto('/mock');
  return { stage, page };
}

describeInBrowser('The page of the mock', () => {
  it('sends an event with what was changed about it, and leads to the delivery', async () => {
    const { page } = await openMock();
    await page.locator('li', { hasText: 'OrderSigned' }).getByText('Its payload').click();
    await page.getByLabel('Payload of OrderSigned').fill('{ "taskId": "changed-by-hand" }');
    await page.getByLabel('Send OrderSigned').click();
    await page.locator('.sent').getByRole('link', { name: 'OrderSigned' }).click();
    await page.locator('#rows .about').getByText('changed-by-hand').waitFor();
  });

  it('sends what must be refused', async () => {
    const { page, stage } = await openMock();
    const form = page.locator('section', { hasText: 'PhenixID Signing Workflow' }).first();
    await form.getByText('How they are sent').click();
    await form.getByLabel('Fault').selectOption('wrong-secret');
    await page.getByLabel('Send OrderSigned').click();
    await page.locator('.sent').getByText('Answered 401').waitFor();
    expect(await stage.app.inbox.list({ limit: 10 })).toEqual([]);
  });

  it('follows what happens in the products, and leaves the focus where it is', async () => {
    const { page } = await openMock();
    await page.getByRole('button', { name: 'New task' }).click();
    const task = page.locator('#products li', { hasText: 'PENDING' }).first();
    await task.waitFor();
    const deed = task.getByRole('button').first();
    await deed.focus();
    const words = await deed.innerText();
    await page.waitForResponse(/mock\/products/);
    await page.waitForResponse(/mock\/products/);
    expect(await page.evaluate<string>('document.activeElement.innerText')).toBe(words);
  });

  it.each(['light', 'dark'] as const)('can be read by everybody, when it is %s', async (colorScheme) => {
    const { page } = await openMock({ colorScheme, reducedMotion: 'reduce' });
    await page.getByRole('button', { name: 'New task' }).click();
    await page.locator('#products li', { hasText: 'PENDING' }).first().waitFor();
    await page.getByLabel('Send OrderCreated').click();
    await page.locator('.sent dl').waitFor();
    await page.evaluate(`document.querySelectorAll('details').forEach((one) => { one.open = true; })`);
    const narrow = [...(await needsMoreThan(page, 360)), ...(await barriers(page))];
    const medium = await needsMoreThan(page, 768);
    expect([...narrow, ...medium, ...(await needsMoreThan(page, 1440)), ...(await barriers(page))]).toEqual(
      [],
    );
  });

  it('sends without scripts, too', async () => {
    const { page, stage } = await openMock({ javaScriptEnabled: false });
    await page.getByLabel('Send OrderSigned').click();
    await page.getByText('right').first().waitFor();
    expect(await stage.app.inbox.list({ limit: 10 })).toHaveLength(1);
  });
});
