import type { BrowserContextOptions, Page } from 'playwright-core';
import { newPage } from '../../../support/browser.ts';
import { newReceiver } from '../../../support/new-receiver.ts';
import type { TestReceiver, TestReceiverOptions } from '../../../support/receiver.ts';
import type { TestSender } from '../../../support/test-sender.ts';

export interface TestConsole {
  readonly receiver: TestReceiver;
  readonly sender: TestSender;
  readonly url: string;
}

/** Of a receiver for this test only, as on a developer's machine. */
export async function newConsole({ env, ...options }: TestReceiverOptions = {}): Promise<TestConsole> {
  const settings = { env: { ADMIN_PORT: '0', ...env }, development: true, ...options };
  const { receiver, sender } = await newReceiver(settings);
  return { receiver, sender, url: receiver.app.adminUrl ?? '' };
}

/** Once it is told of what comes. */
export async function openList(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await newPage(url, options);
  await page.goto('/');
  await untilLive(page);
  return page;
}

export async function untilLive(page: Page): Promise<void> {
  await page.getByText('Live, newest first').waitFor();
}

/** Asks for it, and then does it. */
export async function confirm(page: Page, what: string): Promise<void> {
  await page.getByText(`${what}…`).click();
  await page.getByRole('button', { name: what }).click();
}

export async function logIn(page: Page, token: string): Promise<void> {
  await page.goto('/');
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Log in' }).click();
}
