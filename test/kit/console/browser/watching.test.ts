import { createServer } from 'node:http';
import { expect, it } from '@jest/globals';
import { describeInBrowser, newWatchedPage } from '../../../support/browser.ts';
import { listening } from '../../../support/fixtures.ts';
import { until } from '../../../support/until.ts';

describeInBrowser('What the tests of pages would notice', () => {
  it.each([
    ['an error of a script', '<script src="/throws.js"></script>', /thrown/],
    ['an error in the console', '<script src="/says.js"></script>', /said/],
    ['a dialog', '<script src="/asks.js"></script>', /dialog: asked/],
    ['a script that the policy forbids', '<script>1</script>', /Content Security Policy/],
    ['a request elsewhere', '<img src="http://elsewhere.invalid/">', /request to http:\/\/elsewhere.invalid/],
    ['a file that is not there', '<img src="/missing.png">', /404 for .*missing.png/],
  ])('%s', async (_what, body, wrong) => {
    const { page, wrongs } = await newWatchedPage(await serving(body));
    await page.goto('/');
    await until('it is noticed', () => wrongs.some((one) => wrong.test(one)));
    expect(wrongs.join('\n')).toMatch(wrong);
  });
});

const files = new Map([
  ['/throws.js', 'throw new Error("thrown");'],
  ['/says.js', 'console.error("said");'],
  ['/asks.js', 'alert("asked");'],
  ['/favicon.ico', ''],
]);

async function serving(body: string): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const type = url.endsWith('.js') ? 'text/javascript' : 'text/html';
    const content = url === '/' ? `<!doctype html>${body}` : files.get(url);
    response.writeHead(content === undefined ? 404 : 200, {
      'Content-Type': type,
      'Content-Security-Policy': "script-src 'self'",
    });
    response.end(content);
  });
  return `http://127.0.0.1:${await listening(server)}`;
}
