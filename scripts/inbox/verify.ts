import { checkInbox } from '../../src/kit/inbox/check.ts';
import type { InboxKey } from '../../src/kit/inbox/sealed/keys.ts';
import { openTape } from '../../src/kit/tape/open.ts';
import { printable } from '../../src/lab/printable.ts';
import type { Chosen } from './command.ts';
import { printJson } from './print.ts';

/** Says what is inconsistent in an inbox and its tape: a line for each kind, with how often it is. */
export async function verify(url: string, { json }: Chosen, keys: readonly InboxKey[]): Promise<number> {
  const found = [...(await checkInbox(url, keys)), ...(await unreadableOnTape(url, keys))];
  if (json) printJson(found);
  else if (found.length === 0) console.log('Nothing is inconsistent.');
  else console.log(printable(found.map(({ what, count }) => `${count}  ${what}`).join('\n')));
  return found.length === 0 ? 0 : 1;
}

async function unreadableOnTape(url: string, keys: readonly InboxKey[]) {
  const tape = await openTape(url, keys);
  try {
    const lost = (await tape.list()).filter((one) => 'unreadable' in one);
    const [first] = lost;
    if (first === undefined) return [];
    return [
      {
        what: `deliveries on the tape that cannot be read, as ${first.number}: ${first.unreadable}`,
        count: lost.length,
      },
    ];
  } finally {
    await tape.close();
  }
}
