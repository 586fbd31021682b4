import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { openTape } from '../../../src/kit/tape/open.ts';
import type { Kept } from '../../../src/kit/tape/tape.ts';
import { newFolder } from '../../support/fixtures.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { enough, startProcess } from '../../support/processes.ts';
import { exchange, post } from '../../support/raw.ts';
import { until } from '../../support/until.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';

async function tapeIn(folder: string): Promise<readonly Kept[]> {
  const tape = await openTape(`sqlite:${join(folder, 'inbox.db')}`, []);
  const all = await tape.list();
  expect(all.filter((one) => 'unreadable' in one)).toEqual([]);
  return all.flatMap((one) => ('unreadable' in one ? [] : [one]));
}

const inFolder = (folder: string) => ({ INBOX_URL: `sqlite:${join(folder, 'inbox.db')}` });

it('is readable whenever its receiver is killed', async () => {
  const folder = newFolder();
  const tape = join(folder, 'inbox.db.tape');
  for (let round = 1; round <= 3; round += 1) {
    const receiver = startProcess({ ...enough, ...inFolder(folder) }, folder);
    const url = await receiver.url();
    const body = (count: number) => `${round} ${count} `.padEnd(50_000, 'x');
    const flood = Array.from({ length: 12 }, (_, count) =>
      exchange(url, post(`/risr/profile_updated`, body(count))),
    );
    // The first of a tape that is there only half would be none.
    const isWhole = (name: string) => !name.endsWith('.begun');
    const onTape = () => (existsSync(tape) ? readdirSync(tape) : []);
    await until('something is on the tape', () => onTape().some(isWhole));
    setTimeout(() => receiver.kill('SIGKILL'), 3 * round);
    await Promise.allSettled(flood);
    await receiver.ended;
    const kept = await tapeIn(folder);
    expect(kept.length).toBeGreaterThan(0);
    for (const { body: bytes } of kept) expect(bytes).toHaveLength(50_000);
  }
});

const refused = post('/risr/profile_updated', 'no token');

it.each([
  ['is a file', (tape: string) => writeFileSync(tape, ''), (tape: string) => rmSync(tape)],
  [
    'cannot be written',
    (tape: string) => {
      mkdirSync(tape);
      // As root everything can be written; nothing can be put in the place of a folder.
      for (let number = 1; number < 9; number += 1) mkdirSync(join(tape, `${number}.begun`));
      chmodSync(tape, 0o500);
    },
    (tape: string) => rmSync(tape, { recursive: true }),
  ],
])('is done without where its folder %s, and that is said once', async (_, spoil, mend) => {
  const folder = newFolder();
  const tape = join(folder, 'inbox.db.tape');
  spoil(tape);
  const { receiver, sender } = await newReceiver({ env: inFolder(folder) });
  const troubles = () =>
    receiver.log.filter(({ why }) => String(why).startsWith('The tape cannot be written'));
  for (let round = 0; round < 2; round += 1) {
    expect((await exchange(receiver.url, refused)).status).toBe(401);
    expect((await sender.fire(risr, 'profile_updated', { id: String(round) })).status).toBe(200);
    await until('it is said', () => troubles().length > 0);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
  }
  expect(troubles()).toHaveLength(1);
  mend(tape);
  await exchange(receiver.url, refused);
  await until(
    'there is a tape',
    () => readdirSync(folder).includes('inbox.db.tape') && readdirSync(tape).length > 0,
  );
  await receiver.stop();
  expect(await tapeIn(folder)).toHaveLength(1);
});

it('keeps what came before a flood, what comes to other endpoints meanwhile, and no more than its bounds', async () => {
  const folder = newFolder();
  const env = { ...inFolder(folder), FAILED_PROOF_LIMIT: '1000000' };
  const { receiver, sender } = await newReceiver({ env });
  const genuine = await sender.request(risr, 'profile_updated', { secret: 'pasted wrong '.repeat(4) });
  expect((await sender.send(genuine)).status).toBe(401);
  await until('there is a tape', () => readdirSync(folder).includes('inbox.db.tape'));
  const flooded = await sender.request(risr, 'booking_updated');
  const forgery = (count: number) => ({
    ...flooded,
    body: Buffer.from(`${count}.${flooded.body.toString('latin1')}`),
  });
  for (let second = 0; second < 4; second += 1) {
    const started = performance.now();
    for (let count = 0; count < 25; count += 1) {
      await Promise.all(Array.from({ length: 20 }, () => sender.send(forgery(500 * second + count))));
      if (second === 2 && count === 10) await sender.send({ ...genuine, target: '/risr/user_registered' });
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 1_050 - performance.now() + started)));
  }
  await receiver.stop();
  const kept = await tapeIn(folder);
  const at = (path: string) => kept.filter(({ endpoint }) => endpoint === path);
  expect(at('/risr/profile_updated')).toHaveLength(1);
  expect(at('/risr/user_registered')).toHaveLength(1);
  const flood = at('/risr/booking_updated');
  expect(flood.length).toBeGreaterThan(20);
  expect(flood.length).toBeLessThanOrEqual(50);
  expect(flood[0]?.body.toString()).toMatch(/^0\./);
  expect(
    receiver.log.filter(({ why }) => String(why).startsWith('More deliveries than the tape')).length,
  ).toBeGreaterThan(0);
});
