import { expect, it } from '@jest/globals';
import { phenixid } from '../../../../src/kit/sources/phenixid/index.ts';
import { describeInBrowser } from '../../../support/browser.ts';
import { newInboxUrl } from '../../../support/fixtures.ts';
import { confirm, newConsole, openList } from './console.ts';

const SECRET = 'Zq83hfPQ0ahslfbvnmqp2819ZZalfhQm';

describeInBrowser('A refused delivery', () => {
  it('is explained, and accepted once that is mended', async () => {
    const env = { INBOX_URL: newInboxUrl(), PHENIXID_SECRET: `Secret: ${SECRET}` };
    const { receiver, sender, url } = await newConsole({ env });
    const page = await openList(url);
    expect(await sender.fire(phenixid, 'OrderSigned', { secret: SECRET })).toMatchObject({ status: 401 });
    await page.getByText('proof_mismatch').click();
    await page.getByRole('button', { name: 'Explain it' }).click();
    await page.locator('#explained').getByText(/label/).waitFor();

    await confirm(page, 'Accept');
    await page.getByText('Not accepted').waitFor();
    await receiver.renew({ PHENIXID_SECRET: SECRET });
    await confirm(page, 'Accept');
    await page.getByRole('heading', { name: 'phenixid OrderSigned, entry 1' }).waitFor();
    await receiver.app.idle();
    await page.reload();
    await page.locator('.way .chip').getByText('done').waitFor();

    await page.goto('/refused/1');
    await page.getByRole('link', { name: 'entry 1' }).waitFor();
    expect(await page.getByText('Accept…').count()).toBe(0);
  });

  it('is there as soon as its row is, although the tape is written later', async () => {
    const { sender, url } = await newConsole();
    const page = await openList(url);
    const request = await sender.request(phenixid, 'OrderSigned', { secret: SECRET });
    await sender.send(request); // written at once
    await sender.send(request);
    await page.locator('#rows > li:nth-child(2)').waitFor();
    await page.locator('#rows a').first().click();
    await page.getByRole('heading', { name: /Refused delivery \d/ }).waitFor();
  });
});
