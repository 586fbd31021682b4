import { afterAll, beforeAll, describe } from '@jest/globals';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core';
import { chromiumHere } from '../../src/lab/rig/chromium.ts';
import { later } from './fixtures.ts';

/** A step that takes longer will never be done, on whatever machine. */
const PATIENCE_MS = 15_000;

let running: Browser | undefined;

/** Tests that look at pages with Chromium, one for all of them; skipped, and loudly, where it is not installed. */
export function describeInBrowser(what: string, tests: () => void): void {
  const here = chromiumHere();
  if (here === undefined) {
    process.stderr.write(`NOT TESTED: ${what}; Chromium is not installed here, nor named by CHROME_PATH.\n`);
    describe.skip(what, tests);
    return;
  }
  describe(what, () => {
    beforeAll(async () => {
      running = await chromium.launch(here);
    });
    afterAll(() => running?.close());
    tests();
  });
}

/** A page of somebody who has never been here; the test fails if anything is wrong with it while it is open. */
export async function newPage(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const { page, wrongs } = await newWatchedPage(url, options);
  later(() => {
    if (wrongs.length > 0) throw new Error(`On the page:\n${wrongs.join('\n')}`);
  });
  return page;
}

export interface WatchedPage {
  readonly page: Page;
  /** Errors of scripts and of loading, violations of the policy, dialogs, requests elsewhere. */
  readonly wrongs: readonly string[];
}

export async function newWatchedPage(url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  if (running === undefined) throw new Error('There is a browser inside describeInBrowser only.');
  const context = await running.newContext({ baseURL: url, ...options });
  later(() => context.close());
  context.setDefaultTimeout(PATIENCE_MS);
  const wrongs = watch(context, new URL(url).origin);
  return { page: await context.newPage(), wrongs };
}

/** Of the reply to a request a test looks at what it asked for itself; of all others it is told here. */
const REPLY = 'Failed to load resource: the server responded with a status of ';

function watch(context: BrowserContext, origin: string): readonly string[] {
  const wrongs: string[] = [];
  context.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !text.startsWith(REPLY)) wrongs.push(text);
  });
  context.on('weberror', (error) => wrongs.push(String(error.error())));
  context.on('dialog', (dialog) => {
    wrongs.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) wrongs.push(`request to ${request.url()}`);
  });
  context.on('response', (response) => {
    if (response.status() >= 400 && !response.request().isNavigationRequest())
      wrongs.push(`${response.status()} for ${response.url()}`);
  });
  return wrongs;
}
