import { expect, it } from '@jest/globals';
import { phenixid } from '../../../../src/kit/sources/phenixid/index.ts';
import { describeInBrowser, newPage } from '../../../support/browser.ts';
import { logIn, newConsole } from './console.ts';

const ADA = 'wRt5mQ2xLk8vN4pZc7Yb';
const BEN = 'hG3sDf9aJq6uE1iXo0Tr';
const env = { CONSOLE_TOKEN: `ada:${ADA}`, CONSOLE_LOOK_TOKEN: `ben:${BEN}` };

async function guarded() {
  const console = await newConsole({ env, development: false });
  await console.sender.fire(phenixid, 'OrderSigned', { payload: { taskId: 'task-of-mrs-miller' } });
  await console.receiver.app.idle();
  return { ...console, page: await newPage(console.url) };
}

describeInBrowser('Who may see and do what', () => {
  it('lets in the holder of a token, and out', async () => {
    const { page, receiver } = await guarded();
    await logIn(page, ADA);
    await page.getByRole('heading', { name: 'Deliveries' }).waitFor();
    await page.getByText('ada, may act').waitFor();
    expect(receiver.log).toContainEqual(expect.objectContaining({ who: 'ada', why: 'logged in' }));
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Token').waitFor();
    await page.goto('/deliveries/1');
    await page.getByLabel('Token').waitFor();
  });

  it('lets in nobody else', async () => {
    const { page } = await guarded();
    await logIn(page, ADA.toLowerCase());
    await page.getByText('Nobody has this token.').waitFor();
    await page.goto('/state');
    await page.getByLabel('Token').waitFor();
  });

  it('shows no button to somebody who may look', async () => {
    const { page } = await guarded();
    await logIn(page, BEN);
    await page.getByText('ben, may look').waitFor();
    await page.getByText('OrderSigned', { exact: true }).and(page.locator('.event')).click();
    await page.getByRole('heading', { name: 'entry 1' }).waitFor();
    expect(await page.locator('main button, main details.ask').count()).toBe(0);
    await page.goto('/state');
    expect(await page.locator('main button, main details.ask').count()).toBe(0);
  });

  it('shows values to whoever asks for them and may, and writes down who did', async () => {
    const { page, receiver } = await guarded();
    await logIn(page, ADA);
    await page.getByRole('heading', { name: 'Deliveries' }).waitFor();
    await page.goto('/deliveries/1');
    const payload = page.locator('.tree').first();
    expect(await payload.innerText()).toMatch(/taskId text of 18/);
    await page.getByRole('button', { name: 'Show the values' }).click();
    await payload.getByText('task-of-mrs-miller').first().waitFor();
    await page.goto('/state');
    await page.getByText('looked at what entry 1 says').waitFor();
    expect(receiver.log).toContainEqual(
      expect.objectContaining({ outcome: 'console', who: 'ada', why: 'looked at what entry 1 says' }),
    );
  });
});
