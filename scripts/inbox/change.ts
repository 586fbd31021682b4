import { shortNote, type Entry, type Inbox } from '../../src/kit/inbox/inbox.ts';
import { pruneInSteps } from '../../src/kit/inbox/worker/pruner.ts';
import { PAGE, type Chosen } from './command.ts';
import { printJson } from './print.ts';

export async function replay(
  inbox: Inbox,
  seqs: readonly number[],
  { filter, dead, json }: Chosen,
): Promise<number> {
  const wanted = dead ? await allDead(inbox, filter) : seqs;
  const entries = await inPages(wanted, (seq) => inbox.replay(seq));
  return report('replayed', json, wanted, entries, (entry) =>
    entry.status === 'running' ? 'is running' : undefined,
  );
}

export async function discard(
  inbox: Inbox,
  seqs: readonly number[],
  { reason = '', json }: Chosen,
): Promise<number> {
  const note = shortNote(`discarded: ${reason}`);
  const entries = await inPages(seqs, (seq) => inbox.discard(seq, note));
  return report('discarded', json, seqs, entries, (entry) => {
    if (entry.status === 'running') return 'is running';
    return entry.note === note ? undefined : 'was done already';
  });
}

const DAY_MS = 86_400_000;

export async function prune(
  inbox: Inbox,
  _seqs: readonly number[],
  { days = Infinity, replayDays, json }: Chosen,
): Promise<number> {
  let pruned = 0;
  const before = (limit: number) => Date.now() - limit * DAY_MS;
  const steps = pruneInSteps(inbox, { finishedBefore: before(days), keysBefore: before(replayDays) });
  for await (const count of steps) pruned += count;
  if (json) return printJson({ pruned });
  console.log(`${pruned} pruned`);
  return 0;
}

/** Only their numbers, oldest first: there may be many, and replaying out of order would run them out of order. */
async function allDead(inbox: Inbox, filter: Chosen['filter']): Promise<number[]> {
  const seqs: number[] = [];
  for (;;) {
    const page = await inbox.list({
      ...filter,
      status: 'dead',
      before: seqs.at(-1) ?? Number.MAX_SAFE_INTEGER,
      limit: PAGE,
    });
    seqs.push(...page.map(({ seq }) => seq));
    if (page.length < PAGE) return seqs.reverse();
  }
}

async function inPages(
  seqs: readonly number[],
  change: (seq: number) => Promise<Entry | null>,
): Promise<(Entry | null)[]> {
  const entries: (Entry | null)[] = [];
  for (let at = 0; at < seqs.length; at += PAGE) {
    entries.push(...(await Promise.all(seqs.slice(at, at + PAGE).map(change))));
  }
  return entries;
}

/** Says how many were changed, and of the others why not. */
function report(
  changed: string,
  json: boolean,
  seqs: readonly number[],
  entries: readonly (Entry | null)[],
  obstacle: (entry: Entry) => string | undefined,
): number {
  const problems = seqs.flatMap((seq, index) => {
    const entry = entries[index];
    if (!entry) return [`There is no entry ${seq}.`];
    const why = obstacle(entry);
    return why === undefined ? [] : [`Entry ${seq} ${why}: it was left alone.`];
  });
  const count = seqs.length - problems.length;
  if (json) printJson({ [changed]: count, problems });
  else console.log([`${count} ${changed}`, ...problems].join('\n'));
  return problems.length === 0 ? 0 : 1;
}
