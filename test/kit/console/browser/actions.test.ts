import { expect, it } from '@jest/globals';
import { DeadLetter } from '../../../../src/kit/errors.ts';
import { phenixid } from '../../../../src/kit/sources/phenixid/index.ts';
import { describeInBrowser, newPage } from '../../../support/browser.ts';
import { confirm, newConsole, openList } from './console.ts';

/** A handler that fails for good until it is mended. */
function mendable() {
  let broken = true;
  return {
    handler: () => {
      if (broken) throw new DeadLetter('payload_invalid', 'The archive has no shelf for it.');
      return 'kept';
    },
    mend: () => {
      broken = false;
    },
  };
}

describeInBrowser('What can be done about deliveries', () => {
  it('one that failed is replayed from its page', async () => {
    const { handler, mend } = mendable();
    const { receiver, sender, url } = await newConsole({ handlers: { phenixid: { OrderSigned: handler } } });
    const page = await openList(url);
    await sender.fire(phenixid, 'OrderSigned');
    await page.getByText('The archive has no shelf for it.').click();
    await page.locator('.way').getByText('dead', { exact: true }).first().waitFor();
    mend();
    await confirm(page, 'Replay');
    await page.getByText('It waits to run once more.').waitFor();
    await receiver.app.idle();
    await page.reload();
    await page.locator('.way .chip').getByText('done').waitFor();
  });

  it('one that shall not run any more is discarded, with the reason', async () => {
    const { handler } = mendable();
    const { receiver, sender, url } = await newConsole({ handlers: { phenixid: { OrderSigned: handler } } });
    await sender.fire(phenixid, 'OrderSigned');
    await receiver.app.idle();
    const page = await newPage(url);
    await page.goto('/deliveries/1');
    await page.getByText('Discard…').click();
    await page.getByLabel('Why?').fill('kept by hand');
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.getByText('It is discarded.').waitFor();
    await page.getByText('discarded by developer: kept by hand').waitFor();
    await page.goto('/state');
    await page.getByText('discarded entry 1: kept by hand').waitFor();
  });

  it('all of one cause are replayed together, and the page of the state follows', async () => {
    const { handler, mend } = mendable();
    const { receiver, sender, url } = await newConsole({ handlers: { phenixid: { OrderSigned: handler } } });
    const page = await newPage(url);
    await page.goto('/state');
    for (const taskId of ['a', 'b', 'c']) await sender.fire(phenixid, 'OrderSigned', { payload: { taskId } });
    await page.getByText('Replay all 3…').waitFor();
    mend();
    await confirm(page, 'Replay all 3');
    await page.getByText('There are none.').waitFor();
    await page.getByText('replayed 3 dead letters of phenixid OrderSigned, from entry 1 on').waitFor();
    await receiver.app.idle();
    expect(await receiver.app.inbox.stats()).toMatchObject({ done: 3, dead: 0 });
    await page.locator('.tile', { hasText: '3 done' }).waitFor();
  });

  it('the page of the state leaves alone what somebody is about to confirm', async () => {
    const { handler } = mendable();
    const { receiver, sender, url } = await newConsole({ handlers: { phenixid: { OrderSigned: handler } } });
    await sender.fire(phenixid, 'OrderSigned');
    await receiver.app.idle();
    const page = await newPage(url);
    await page.goto('/state');
    await page.getByText('Replay it…').click();
    const isLeft = await page.evaluate<boolean>(`new Promise((resolve) => {
      document.addEventListener('htmx:before:request', (event) => setTimeout(() => resolve(event.defaultPrevented)));
    })`);
    expect(isLeft).toBe(true);
    expect(await page.getByRole('button', { name: 'Replay it' }).isVisible()).toBe(true);
  });
});
