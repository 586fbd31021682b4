import { messageOf } from '../../src/kit/errors.ts';
import { encryptInbox } from '../../src/kit/inbox/sealed/inbox.ts';
import { readInboxKeys, type InboxKey } from '../../src/kit/inbox/sealed/keys.ts';
import { InboxUnavailable, type Inbox } from '../../src/kit/inbox/inbox.ts';
import { readAddress, requireInbox, withoutPassword } from '../../src/kit/inbox/address.ts';
import { openInbox } from '../../src/kit/inbox/open.ts';
import { ConfigInvalid, readGeneral } from '../../src/kit/program/config.ts';
import type { Environment } from '../../src/kit/program/reader.ts';
import type { GeneralSettings } from '../../src/kit/program/variables.ts';
import { warn } from '../../src/lab/command.ts';
import { failed } from './print.ts';

/** Works on the inbox that the environment names, beside its receiver. Resolves with the exit code. */
export async function withInbox(env: Environment, work: (inbox: Inbox) => Promise<number>): Promise<number> {
  return withOpened(await openOrExplain(env), work);
}

/** Works on what was opened, and closes it; else says why it was not. Resolves with the exit code. */
export async function withOpened<Opened extends { close(): Promise<void> }>(
  opened: Opened | string,
  work: (opened: Opened) => Promise<number>,
): Promise<number> {
  if (typeof opened === 'string') return failed(opened);
  try {
    return await work(opened);
  } catch (error) {
    if (!(error instanceof InboxUnavailable)) throw error;
    return failed(error.message);
  } finally {
    await opened.close();
  }
}

/** Works at the address that the environment names, whether there is an inbox or not. Resolves with the exit code. */
export async function withAddress(env: Environment, work: (url: string) => Promise<number>): Promise<number> {
  return withGeneral(env, ['INBOX_URL'], ({ INBOX_URL: url }) => work(url));
}

/** The same, with the keys of what is encrypted there. */
export async function withKeys(
  env: Environment,
  work: (url: string, keys: readonly InboxKey[]) => Promise<number>,
): Promise<number> {
  return withGeneral(env, ['INBOX_URL', 'INBOX_KEYS'], ({ INBOX_URL: url, INBOX_KEYS: keys }) =>
    work(url, keysIn(keys)),
  );
}

async function withGeneral<Name extends keyof GeneralSettings>(
  env: Environment,
  names: readonly (Name | 'INBOX_URL')[],
  work: (general: Pick<GeneralSettings, Name | 'INBOX_URL'>) => Promise<number>,
): Promise<number> {
  try {
    const { general, warnings } = readGeneral(env, names);
    warn(warnings);
    return await work(general).catch((error: unknown) =>
      failed(withoutPassword(messageOf(error), general.INBOX_URL)),
    );
  } catch (error) {
    return failed(explained(error));
  }
}

/** The inbox that the environment names; else why it cannot be looked into. */
export function openOrExplain(env: Environment): Promise<Inbox | string> {
  return openedOrWhy(env, openAt);
}

/** What is opened at the address of the inbox; else why it cannot be. */
export async function openedOrWhy<Opened>(
  env: Environment,
  open: (url: string, keys: readonly InboxKey[]) => Promise<Opened | string>,
): Promise<Opened | string> {
  try {
    const { general, warnings } = readGeneral(env, ['INBOX_URL', 'INBOX_KEYS']);
    warn(warnings);
    requireReceived(general.INBOX_URL);
    return await open(general.INBOX_URL, keysIn(general.INBOX_KEYS));
  } catch (error) {
    return explained(error);
  }
}

/** @throws where no receiver can have left anything, so that nothing to be seen there would say nothing */
export function requireReceived(url: string): void {
  const address = readAddress(url);
  if (address?.engine === 'memory') throw new Error(IN_MEMORY);
  if (address?.engine === 'sqlite') requireInbox(address.file);
}

function explained(error: unknown): string {
  return error instanceof ConfigInvalid ? error.problems.join('\n') : messageOf(error);
}

/** Without any, encrypted entries are shown without their content. */
function keysIn(text: string): readonly InboxKey[] {
  return text === '' ? [] : readInboxKeys(text);
}

const IN_MEMORY =
  'INBOX_URL is memory: – such an inbox lives inside its receiver, and only there. Set sqlite:<file> or postgres://….';

async function openAt(url: string, keys: readonly InboxKey[]): Promise<Inbox> {
  return encryptInbox(await openInbox(url, { maxWaiting: Infinity, owner: false }), keys);
}
