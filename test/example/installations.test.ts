import { createServer } from 'node:http';
import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { createLog } from '../../src/kit/log.ts';
import { endpoint } from '../../src/kit/endpoint/definition.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { startReconciliation } from '../../src/kit/sources/phenixid/reconciliation.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import type { Occurrence } from '../../src/kit/source.ts';
import { defineStep, runs } from '../../src/kit/step.ts';
import { listening } from '../support/fixtures.ts';
import { newReceiver } from '../support/new-receiver.ts';
import type { TestReceiver } from '../support/receiver.ts';

const NORTH = 'the-secret-of-the-installation-north';
const env = { PHENIXID_NORTH_SECRET: NORTH };
const { taskId } = phenixid.events.OrderCreated.example;

/** Sends an event of the one installation or the other, and waits until it is handled. */
async function tell(receiver: TestReceiver, type: string, key: '' | 'north'): Promise<void> {
  const options = key === '' ? {} : { secret: NORTH, switches: { key } };
  expect((await receiver.sender.fire(phenixid, type, options)).status).toBe(200);
  await receiver.app.idle();
}

function statesIn({ records }: TestReceiver): unknown[] {
  return [undefined, 'north'].map((key) => records.of(key).find('task', taskId)?.['state']);
}

it('lets neither installation change a task of the other', async () => {
  const { receiver } = await newReceiver({ env });
  await tell(receiver, 'OrderCreated', '');
  await tell(receiver, 'OrderRejected', 'north');
  expect(statesIn(receiver)).toEqual(['PENDING', 'REJECTED']);
  await tell(receiver, 'OrderAccepted', '');
  await tell(receiver, 'OrderCanceled', 'north');
  expect(statesIn(receiver)).toEqual(['ACCEPTED', 'REJECTED']);
  expect(receiver.records.list('task')).toHaveLength(2);
});

it('gives tasks of the same id in two installations a subject each, and their follow-up work, too', async () => {
  const step = defineStep('look', z.object({}));
  const OrderSigned = ({ followUp }: Occurrence) => {
    followUp(step, {});
    followUp(step, {}, { subject: 'file:1' });
  };
  const told: unknown[] = [];
  const { receiver } = await newReceiver({
    env,
    handlers: { phenixid: { OrderSigned } },
    steps: [runs(step, ({ installation }) => void told.push(installation))],
  });
  await tell(receiver, 'OrderSigned', '');
  await tell(receiver, 'OrderSigned', 'north');
  const subjects = (await receiver.app.inbox.list({ limit: 10 })).map(({ subject }) => subject);
  expect(new Set(subjects)).toEqual(
    new Set([
      `phenixid task:${taskId}`,
      'phenixid file:1',
      `phenixid?key=north task:${taskId}`,
      'phenixid?key=north file:1',
    ]),
  );
  expect(told).toEqual([undefined, undefined, 'north', 'north']);
});

it('asks after the tasks of each installation in the line of that task', async () => {
  const { receiver } = await newReceiver({ env });
  const openTasks = () => [undefined, 'north'].map((installation) => ({ taskId, installation }));
  const { inbox } = receiver.app;
  const stop = await startReconciliation({ inbox, everyMs: 3_600_000, log: createLog('silent'), openTasks });
  stop();
  const entries = await inbox.list({ limit: 10, type: 'reconciliation' });
  expect(entries.map(({ subject }) => subject).sort()).toEqual([
    `phenixid task:${taskId}`,
    `phenixid?key=north task:${taskId}`,
  ]);
});

it('asks after a task again whose question is forgotten and known, once for each round', async () => {
  const { receiver } = await newReceiver({ env });
  const { inbox } = receiver.app;
  const openTasks = () => [{ taskId, installation: undefined }];
  const round = async () => {
    (await startReconciliation({ inbox, everyMs: 3_600_000, log: createLog('silent'), openTasks }))();
    await receiver.app.idle();
    return (await inbox.list({ limit: 10, type: 'reconciliation' })).map(({ claims }) => claims);
  };
  expect(await round()).toEqual([1]);
  expect(await round()).toEqual([2]);
  await inbox.prune({ finishedBefore: Date.now() + 60_000, limit: 10, keysBefore: 0 });
  expect(await round()).toEqual([1]);
  expect(await round()).toEqual([2]);
  await inbox.prune({ finishedBefore: Date.now() + 60_000, limit: 10, keysBefore: 0 });
  expect(await round()).toEqual([1]);
});

it('keeps apart what comes to the endpoint of a second tenant', async () => {
  const path = '/risr/north/profile_updated';
  const further = [
    endpoint(path, risr, 'profile_updated', { installation: 'north' }),
    endpoint('/hotdocs/north/done', hotdocs, 'NewWorkItemVersionComplete', { installation: 'north' }),
  ];
  const { receiver, sender } = await newReceiver({ further });
  const profile = (rev: string, firstName: string) => ({ payload: { id: 'p-1', rev, firstName } });
  await sender.fire(risr, 'profile_updated', profile('2-a', 'ours'));
  await sender.fire(risr, 'profile_updated', { ...profile('9-a', 'theirs'), path });
  await sender.fire(risr, 'profile_updated', profile('3-a', 'ours'));
  await receiver.app.idle();
  expect(receiver.records.find('profile', 'p-1')).toMatchObject({ rev: '3-a', firstName: 'ours' });
  expect(receiver.records.of('north').find('profile', 'p-1')).toMatchObject({ firstName: 'theirs' });

  const { workItemId } = hotdocs.events.NewWorkItemVersionComplete.example;
  await sender.fire(hotdocs, 'NewWorkItemVersionComplete', { path: '/hotdocs/north/done' });
  await receiver.app.idle();
  expect(receiver.records.find('work item', workItemId)).toBeUndefined();
  expect(receiver.records.of('north').find('work item', workItemId)).toBeDefined();
});

it('asks the API of the installation that an event came from, with nothing of the other', async () => {
  const [ours, theirs] = [await swf('CANCELED'), await swf('REJECTED')];
  const { receiver } = await newReceiver({
    env: {
      ...env,
      PHENIXID_SOUTH_SECRET: 'the-secret-of-the-installation-south',
      PHENIXID_API_URL: ours.url,
      PHENIXID_API_HEADERS: '{"X-Api-Key":"ours"}',
      PHENIXID_NORTH_API_URL: theirs.url,
    },
  });
  await tell(receiver, 'OrderSigned', '');
  await tell(receiver, 'OrderSigned', 'north');
  expect(statesIn(receiver)).toEqual(['CANCELED', 'REJECTED']);
  expect(ours.keys).toContain('ours');
  expect(new Set(theirs.keys)).toEqual(new Set([undefined]));
  // One that has none of its own asks that of its source.
  const asked = ours.keys.length;
  const switches = { key: 'south' };
  const secret = 'the-secret-of-the-installation-south';
  await receiver.sender.fire(phenixid, 'OrderSigned', { secret, switches });
  await receiver.app.idle();
  expect(ours.keys.length).toBeGreaterThan(asked);
});

/** A Signing Workflow in which every task is in this state and has no files, and the keys that it was shown. */
async function swf(state: string) {
  const keys: unknown[] = [];
  const server = createServer(({ url = '', headers }, response) => {
    keys.push(headers['x-api-key']);
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(url.endsWith('/files') ? [] : { id: taskId, state }));
  });
  return { url: `http://127.0.0.1:${await listening(server)}`, keys };
}
