import { messageOf } from '../../src/kit/errors.ts';
import { encryptInbox } from '../../src/kit/inbox/sealed/inbox.ts';
import { readInboxKeys } from '../../src/kit/inbox/sealed/keys.ts';
import { InboxUnavailable, type Inbox } from '../../src/kit/inbox/inbox.ts';
import { withoutPassword } from '../../src/kit/inbox/address.ts';
import { openInbox } from '../../src/kit/inbox/open.ts';
import { readTextFile } from '../../src/kit/program/text-file.ts';
import { failed } from './print.ts';

/** Works on the inbox that the environment names, beside its receiver. Resolves with the exit code. */
export async function withInbox(work: (inbox: Inbox) => Promise<number>): Promise<number> {
  const inbox = await openOrExplain();
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

/** Works at the address that the environment names, whether there is an inbox or not. Resolves with the exit code. */
export async function withAddress(work: (url: string) => Promise<number>): Promise<number> {
  const url = addressOrExplain();
  if (typeof url === 'string') return failed(url);
  try {
    return await work(url.address);
  } catch (error) {
    return failed(withoutPassword(messageOf(error), url.address));
  }
}

/** The inbox that the environment names; else why it cannot be looked into. */
export async function openOrExplain(): Promise<Inbox | string> {
  const url = addressOrExplain();
  return typeof url === 'string' ? url : openAt(url.address);
}

function addressOrExplain(): { readonly address: string } | string {
  return readOrExplain('INBOX_URL', (text) => ({ address: text === '' ? 'sqlite:data/inbox.db' : text }));
}

async function openAt(url: string): Promise<Inbox | string> {
  if (url === 'memory:') {
    return 'INBOX_URL is memory: – such an inbox lives inside its receiver, and only there. Set sqlite:<file> or postgres://….';
  }
  // Without any, encrypted entries are shown without their content.
  const keys = readOrExplain('INBOX_KEYS', (text) => (text === '' ? [] : readInboxKeys(text)));
  if (typeof keys === 'string') return keys;
  try {
    return encryptInbox(await openInbox(url, { maxWaiting: Infinity, owner: false }), keys);
  } catch (error) {
    return messageOf(error);
  }
}

/** What is read of a variable, or of the file that may stand for it; else what is wrong with it. */
function readOrExplain<Value>(name: string, read: (text: string) => Value): Value | string {
  const file = process.env[`${name}_FILE`] ?? '';
  try {
    return read(file === '' ? (process.env[name] ?? '') : readTextFile(file).text.replace(/\r?\n$/, ''));
  } catch (error) {
    return `${file === '' ? name : `${name}_FILE`}: ${messageOf(error)}`;
  }
}
