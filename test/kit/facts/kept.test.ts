import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { readAddress } from '../../../src/kit/inbox/address.ts';
import { readFacts } from '../../../src/kit/facts/open.ts';
import { LOOKED_AT, THEN_ONE_IN } from '../../../src/kit/facts/observer.ts';
import { CAME, DELIVERIES, EXAMINED, EVENT, type Count } from '../../../src/kit/facts/store.ts';
import { startupTable } from '../../../src/kit/program/startup.ts';
import type { NamedSource, Source } from '../../../src/kit/source.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { newInboxUrl } from '../../support/fixtures.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { until } from '../../support/until.ts';
import { countsOf, differingIn, driftsIn, findingOf } from './observing.ts';

function fileOf(url: string): string {
  const address = readAddress(url);
  return address?.engine === 'sqlite' ? `${address.file}.facts.json` : '';
}

function total(counts: readonly Count[], variant: string): number {
  return counts
    .filter((count) => count.fact === DELIVERIES && count.variant === variant)
    .reduce((sum, { count }) => sum + count, 0);
}

const nested = { switches: { booking: 'nested' } };

it('keeps what it has counted over a restart, in a file for its user only, and says at start what differs', async () => {
  const url = newInboxUrl();
  const first = await countsOf(
    {},
    async ({ sender, app, config }) => {
      expect(app.differing).toBe(0);
      expect(startupTable({ folder: 'src/app' }, config, app)).not.toContain('npm run facts');
      await sender.fire(risr, 'booking_updated', nested);
      await until('it is written', () => existsSync(fileOf(url)));
    },
    url,
  );
  expect(statSync(fileOf(url)).mode & 0o777).toBe(0o600);
  expect(differingIn(risr, first)).toEqual(['RI-28a']);
  const second = await countsOf(
    {},
    async ({ sender, app, config }) => {
      expect(app.differing).toBe(1);
      expect(startupTable({ folder: 'src/app' }, config, app)).toContain(
        '\n1 fact differs from what was assumed: npm run facts\n',
      );
      await sender.fire(risr, 'booking_updated', nested);
      await sender.fire(risr, 'booking_updated');
    },
    url,
  );
  expect(findingOf(risr, second, 'RI-28a')?.seen).toMatchObject([
    { variant: 'under booking', count: 2, first: findingOf(risr, first, 'RI-28a')?.seen[0]?.first },
    { variant: 'the payload itself', count: 1 },
  ]);
  expect(total(second, CAME)).toBe(3);
});

it('writes no value of a delivery', async () => {
  const url = newInboxUrl();
  await countsOf(
    {},
    async ({ sender }) => {
      for (const source of sources)
        for (const type of Object.keys(source.events)) await sender.fire(source, type);
    },
    url,
  );
  const text = readFileSync(fileOf(url), 'utf8');
  const values = (value: unknown): string[] =>
    typeof value === 'string' ? [value] : Object.values(value ?? {}).flatMap(values);
  const examples = sources.flatMap(({ events }) =>
    Object.values(events).flatMap(({ example }) => values(example)),
  );
  // Words that an example happens to share with the names of members.
  const telling = examples.filter((value) => value.length > 7);
  expect(telling.length).toBeGreaterThan(50);
  expect(telling.filter((value) => text.includes(value))).toEqual([]);
});

it.each(['{"version":1,"counts":[["hotdocs"]]}', '{"version":1,"cou', ''])(
  'puts a file aside that is not as it was written, says so, and begins anew: %s',
  async (content) => {
    const url = newInboxUrl();
    writeFileSync(fileOf(url), content);
    const counts = await countsOf(
      {},
      async ({ sender, log }) => {
        expect(log).toContainEqual(
          expect.objectContaining({
            outcome: 'trouble',
            why: expect.stringContaining('.facts.json.broken now'),
          }),
        );
        await sender.fire(risr, 'booking_updated');
      },
      url,
    );
    expect(readFileSync(`${fileOf(url)}.broken`, 'utf8')).toBe(content);
    expect(total(counts, CAME)).toBe(1);
  },
);

it('goes on where nothing can be written, says so once, and keeps the counts for later', async () => {
  const url = newInboxUrl();
  const inTheWay = `${fileOf(url)}.next`;
  mkdirSync(inTheWay);
  const { receiver, sender } = await newReceiver({ env: { INBOX_URL: url } });
  const troubles = () => receiver.log.filter(({ why }) => String(why).includes('cannot be kept now'));
  expect((await sender.fire(risr, 'booking_updated')).status).toBe(200);
  await until('it is said', () => troubles().length > 0);
  expect((await sender.fire(risr, 'booking_updated')).status).toBe(200);
  rmdirSync(inTheWay);
  await until('both are written', async () => total(await readFacts(url), CAME) === 2);
  expect(troubles()).toHaveLength(1);
});

it('lets no observer that fails harm a delivery or another observer, and says it once', async () => {
  const flawed: NamedSource = {
    ...(risr as unknown as NamedSource),
    facts: [
      {
        ...{ id: 'flawed', what: 'nothing', assumed: [] },
        observe: () => {
          throw new Error('no such thing');
        },
      },
      ...(risr.facts ?? []),
    ],
  };
  const counts = await countsOf({ sources: [flawed] }, async ({ sender, app, log }) => {
    for (let times = 0; times < 3; times += 1)
      expect((await sender.fire(risr, 'booking_updated')).status).toBe(200);
    await app.idle();
    await until('it is said', () =>
      log.some(({ why }) => String(why).startsWith('flawed cannot be observed')),
    );
    expect(log.filter(({ outcome }) => outcome === 'trouble')).toHaveLength(1);
  });
  expect(findingOf(risr, counts, 'RI-28a')?.seen).toMatchObject([{ count: 3 }]);
});

it('looks at the first thousand deliveries of an endpoint, and then at one in a hundred', async () => {
  const further = 4 * THEN_ONE_IN; // it sends eight at a time
  const counts = await countsOf({ env: { LOG_LEVEL: 'error' } }, async ({ sender }) => {
    const request = await sender.request(phenixid, 'OrderSigned');
    for (let sent = 0; sent < LOOKED_AT + further; sent += 8)
      await Promise.all(Array.from({ length: 8 }, () => sender.send(request)));
  });
  expect(total(counts, CAME)).toBe(LOOKED_AT + further);
  expect(total(counts, EXAMINED)).toBe(LOOKED_AT + 4);
});

it('keeps no more than 32 variants of a fact, whatever a sender writes', async () => {
  const counts = await countsOf({}, async ({ sender }) => {
    for (let number = 0; number < 50; number += 1) {
      const body = JSON.stringify({ eventType: `Order${number}`, taskId: '7' });
      await sender.send(await sender.sign(phenixid, 'OrderSigned', body));
    }
    for (const eventType of ['with blanks in it', 'x'.repeat(100)])
      await sender.send(
        await sender.sign(phenixid, 'OrderSigned', JSON.stringify({ eventType, taskId: '7' })),
      );
  });
  const events = counts.filter(({ fact }) => fact === EVENT);
  expect(events).toHaveLength(32);
  expect(events.find(({ variant }) => variant === 'others')?.count).toBe(21);
  expect(driftsIn(phenixid, counts)).toHaveLength(32);
});

it.each<[Source, string, string]>([
  [hotdocs, 'NewWorkItemVersionComplete', 'HD-10a'],
  [risr, 'profile_updated', 'RI-6a'],
])('%#: sees that an event is sent again', async (source, type, fact) => {
  const counts = await countsOf({}, async ({ sender }) => {
    const request = await sender.request(source, type);
    for (let times = 0; times < 3; times += 1) await sender.send(request);
  });
  const finding = findingOf(source, counts, fact);
  expect(finding?.state).toBe('differs');
  expect(finding?.seen).toMatchObject([
    { variant: expect.stringMatching(/^again within /), count: 2 },
    { variant: 'once', count: 1 },
  ]);
});

it('counts nothing that was refused', async () => {
  const url = newInboxUrl();
  const counts = await countsOf(
    {},
    async ({ sender }) => {
      expect((await sender.fire(risr, 'booking_updated', { secret: 'another secret' })).status).toBe(401);
    },
    url,
  );
  expect(counts).toEqual([]);
  expect(existsSync(fileOf(url))).toBe(false);
});
