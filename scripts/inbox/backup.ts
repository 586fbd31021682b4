import { printableInbox, readAddress } from '../../src/kit/inbox/address.ts';
import { backUp, restore, type Holds } from '../../src/kit/inbox/sqlite/backup.ts';
import { statuses } from '../../src/kit/inbox/inbox.ts';
import { printable } from '../../src/lab/printable.ts';
import type { Chosen } from './command.ts';
import { failed, moment, printJson } from './print.ts';

const KEPT_ELSEWHERE =
  'Not in it: the keys of INBOX_KEYS_FILE (keep them elsewhere; without them encrypted contents are lost), .env and secrets, ' +
  'the tape, what was counted for npm run facts, and what your app keeps.';

/** A copy of the inbox while its receiver runs. */
export async function backup(url: string, { json }: Chosen, [file = '']: readonly string[]): Promise<number> {
  const address = readAddress(url);
  if (address?.engine !== 'sqlite') return failed(byHand(url, file));
  const holds = backUp(address.file, file);
  if (json) return printJson({ file, ...described(holds) });
  console.log(printable(`written  ${file}: ${inWords(holds)}\n${KEPT_ELSEWHERE}`));
  return 0;
}

/** Puts a copy in the place of the inbox, while no receiver runs on it. */
export async function restoreBackup(
  url: string,
  { json }: Chosen,
  [file = '']: readonly string[],
): Promise<number> {
  const address = readAddress(url);
  if (address?.engine !== 'sqlite') return failed(byHand(url, file));
  const { holds, aside } = restore(file, address.file);
  if (json) return printJson({ file: address.file, ...described(holds), aside: aside ?? null });
  console.log(printable(`restored  ${address.file}: ${inWords(holds)}`));
  console.log(
    'What came after that is not in it, and was acknowledged: its senders do not send it again. What was handled after it ' +
      'is handled again.',
  );
  if (aside !== undefined)
    console.log(
      printable(
        `What was there is ${aside}; look into it: INBOX_URL='sqlite:${aside}' npm run inbox -- list --since …`,
      ),
    );
  return 0;
}

function inWords({ newest, ...counts }: Holds): string {
  const entries = statuses.map((status) => `${counts[status]} ${status}`).join(', ');
  return `${entries}; the newest received at ${moment(newest) ?? '–'}`;
}

function described({ newest, ...counts }: Holds): object {
  return { ...counts, newestReceived: moment(newest) ?? null };
}

/** The server has tools of its own, which know it better. */
function byHand(url: string, file: string): string {
  if (readAddress(url)?.engine !== 'postgres')
    return 'INBOX_URL is memory: – such an inbox ends with its receiver, and there is nothing to copy.';
  const at = `'${printableInbox(url)}'`;
  const named = `'${file.replaceAll("'", `'\\''`)}'`;
  return [
    'Nothing was done: an inbox in PostgreSQL is copied with the tools of the server, of its version or a later one. All of it is',
    'in the schema inbox. User and password: PGUSER and ~/.pgpass. To back it up, while receivers run:',
    `  (umask 077 && pg_dump --format=custom --schema=inbox --file=${named} --dbname=${at})`,
    'To restore it, with every receiver and worker stopped; what is there is put aside, as the schema inbox_before:',
    `  psql --dbname=${at} -c 'ALTER SCHEMA inbox RENAME TO inbox_before'`,
    `  pg_restore --single-transaction --exit-on-error --dbname=${at} ${named}`,
    '  npm run inbox -- verify',
  ].join('\n');
}
