import { readFileSync } from 'node:fs';
import { messageOf } from '../../src/kit/errors.ts';
import { encryptInbox } from '../../src/kit/inbox/sealed/inbox.ts';
import { readInboxKeys } from '../../src/kit/inbox/sealed/keys.ts';
import { InboxUnavailable, type Inbox } from '../../src/kit/inbox/inbox.ts';
import { openInbox } from '../../src/kit/inbox/open.ts';
import { failed } from './print.ts';

/** Works on the inbox that the environment names, beside its receiver. Resolves with the exit code. */
export async function withInbox(work: (inbox: Inbox) => Promise<number>): Promise<number> {
  const inbox = await openOrExplain(process.env['INBOX_URL'] ?? 'sqlite:data/inbox.db');
  if (typeof inbox === 'string') return failed(inbox);
  try {
    return await work(inbox);
  } catch (error) {
    if (!(error instanceof InboxUnavailable)) throw error;
    return failed(error.message);
  } finally {
    await inbox.close();
  }
}

async function openOrExplain(url: string): Promise<Inbox | string> {
  if (url === 'memory:') {
    return 'INBOX_URL is memory: – such an inbox lives inside its receiver, and only there. Set sqlite:<file> or postgres://….';
  }
  const keys = readKeys(process.env);
  if (typeof keys === 'string') return keys;
  try {
    return encryptInbox(await openInbox(url, { maxWaiting: Infinity, owner: false }), keys);
  } catch (error) {
    return messageOf(error);
  }
}

/** The keys, or what is wrong with them. Without any, encrypted entries are shown without their content. */
function readKeys({ INBOX_KEYS: text = '', INBOX_KEYS_FILE: file = '' }: NodeJS.ProcessEnv) {
  if (text === '' && file === '') return [];
  try {
    return readInboxKeys(file === '' ? text : readFileSync(file, 'utf8'));
  } catch (error) {
    return `${file === '' ? 'INBOX_KEYS' : 'INBOX_KEYS_FILE'}: ${messageOf(error)}`;
  }
}
