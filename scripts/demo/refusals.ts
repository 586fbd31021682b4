import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual, styleText } from 'node:util';
import { example } from '../../src/example/index.ts';
import { rejections } from '../../src/kit/errors.ts';
import type { Environment } from '../../src/kit/program/reader.ts';
import { openTape } from '../../src/kit/tape/open.ts';
import type { Kept } from '../../src/kit/tape/tape.ts';
import { endpointsIn } from '../../src/lab/explain/context.ts';
import { explain } from '../../src/lab/explain/explain.ts';
import { tell } from '../../src/lab/explain/tell.ts';
import { createRandom } from '../../src/lab/mock/random.ts';
import { createSender, type Sender } from '../../src/lab/mock/sender.ts';
import { storyOf } from '../../src/lab/mock/story.ts';
import { credentialsFrom } from '../../src/lab/stage/credentials.ts';
import type { Stage } from '../../src/lab/stage/stage.ts';
import { printRow, statusOf, timeOf } from './rows.ts';

/** What is refused, and what the receiver's tape tells of it; `adminUrl` where a console tells it, too. */
export async function playRefusals(
  stage: Stage,
  folder: string,
  adminUrl: string | undefined,
): Promise<boolean[]> {
  const [first, second] = stage.senders;
  if (first === undefined || second === undefined) return [false];
  const env = join(folder, '.env');
  writeFileSync(env, envFile(stage.env), { mode: 0o600 });

  const since = Date.now(); // on a bad day others were refused before
  console.log(`\n${styleText('bold', 'Somebody else')} changes one character on the way:`);
  const forged = await playRefused(stage, first, 'tampered-byte');
  const title = second.source.title;
  console.log(`\n${styleText('bold', title)} was given its secret with a blank behind it:`);
  const mistaken = withBlank(second, stage);
  const genuine = await playRefused(stage, mistaken, undefined);
  mistaken.close();
  return [forged, genuine, ...(await explainRefused(stage.env, since, adminUrl))];
}

/** The same sender, but for its secret. */
function withBlank({ source }: Sender, { app, env }: Stage): Sender {
  const credentialsOf = credentialsFrom(env, example);
  return createSender({
    source,
    url: new URL(app.url),
    random: createRandom(1),
    credentialFor(to) {
      const credential = credentialsOf(source)(to);
      return { ...credential, text: `${credential.text} ` };
    },
  });
}

/** The first event of a sender's story, refused. */
async function playRefused({ app, log }: Stage, sender: Sender, fault: string | undefined): Promise<boolean> {
  const [type = ''] = storyOf(sender.source);
  const before = await app.inbox.stats();
  const fired = await sender.fire(type, { fault });
  const after = await app.inbox.stats();
  const code = log.lastCode() ?? '';
  const reply = `${statusOf(fired)} refused`;
  printRow(false, 'red', [type, 'does not match', reply, timeOf(fired), code]);
  console.log(styleText('red', `  ${meaningOf(code)}`));
  return fired.reply?.status === 401 && code.startsWith('proof_') && isDeepStrictEqual(after, before);
}

/** What `npm run explain` says of the two, and whether that is the truth. */
async function explainRefused(
  env: Environment,
  since: number,
  adminUrl: string | undefined,
): Promise<boolean[]> {
  const refused = await untilTaped(env['INBOX_URL'] ?? '', since, 2);
  const { endpoints } = endpointsIn(env, example);
  const right: boolean[] = [];
  for (const one of refused) {
    const report = await explain(one, { endpoints, now: one.at }, { ms: EXPLAINED_WITHIN_MS });
    const there = adminUrl === undefined ? '' : ` (or ${adminUrl}/refused/${one.number})`;
    console.log(`\n${styleText('bold', `npm run explain -- ${one.number}`)}${there} says of it:\n`);
    console.log(tell(report, undefined).replaceAll(/^/gm, '  '));
    right.push(
      one === refused[0]
        ? report.verdict === 'none'
        : isDeepStrictEqual(report.fits[0]?.ids, ['secret-blank-behind']),
    );
  }
  return right.length === 2 ? right : [false];
}

const EXPLAINED_WITHIN_MS = 1_000;

/** The tape is written behind the replies, a second later at most. */
async function untilTaped(inboxUrl: string, since: number, count: number): Promise<readonly Kept[]> {
  for (let tried = 0; ; tried += 1) {
    const tape = await openTape(inboxUrl, []);
    const kept = (await tape.list()).flatMap((one) => ('unreadable' in one || one.at < since ? [] : [one]));
    if (kept.length >= count || tried > 100) return kept;
    await sleep(50);
  }
}

function meaningOf(code: string): string {
  const found = Object.entries(rejections).find(([name]) => name === code);
  return found?.[1][1] ?? 'NOT refused as it should be.';
}

/** As a receiver reads it: what ends with a blank stands in quotes. */
function envFile(env: Environment): string {
  const lines = Object.entries(env).map(
    ([name, value = '']) => `${name}=${/\s/.test(value) ? `"${value}"` : value}`,
  );
  return `${lines.join('\n')}\nKIT_APP=src/example\n`;
}
