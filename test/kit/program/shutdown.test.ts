import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { Entry } from '../../../src/kit/inbox/inbox.ts';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import type { Source } from '../../../src/kit/source.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { newFolder } from '../../support/fixtures.ts';
import { enough, senderTo, startProcess, waitingProgram } from '../../support/processes.ts';
import { until } from '../../support/until.ts';

const LONG = '60000';

/** A receiver in the middle of an event, whose handler ignores its signal and goes on when `open` is called. */
async function startWithHandlerRunning(source: Source, type: string, env: Record<string, string> = {}) {
  const folder = newFolder();
  const gate = join(folder, 'gate');
  const traces = join(folder, 'traces');
  const receiver = startProcess(
    { ...enough, GATE: gate, TRACES: traces, HOTDOCS_DEADLINE_MS: '20000', SHUTDOWN_MS: LONG, ...env },
    folder,
    waitingProgram,
  );
  const url = await receiver.url();
  const reply = senderTo(url)
    .fire(source, type)
    .then(
      ({ status }) => status,
      () => 'none',
    );
  await until('the handler runs', () => existsSync(traces));
  return {
    receiver,
    url,
    reply,
    folder,
    open: () => writeFileSync(gate, ''),
  };
}

function untilNothingListens(url: string): Promise<void> {
  return until('nothing listens any more', async () =>
    senderTo(url)
      .fire(risr, 'profile_updated')
      .then(
        () => false,
        () => true,
      ),
  );
}

/** The entry of this type in the inbox that a process has left; what asked whether it listens may be there as well. */
async function entryLeftIn(folder: string, type: string): Promise<Entry | undefined> {
  const url = `sqlite:${join(folder, 'data', 'inbox.db')}`;
  const inbox = await openInbox(url, { maxWaiting: 1, owner: false });
  const [entry] = await inbox.list({ type, limit: 1 });
  await inbox.close();
  return entry;
}

it.each(['SIGTERM', 'SIGINT'] as const)(
  'on %s takes nothing new, answers what is in flight, and ends with code 0',
  async (signal) => {
    const { receiver, url, reply, folder, open } = await startWithHandlerRunning(
      hotdocs,
      'InterviewLoadEvent',
    );
    receiver.kill(signal);
    await untilNothingListens(url);
    open();
    expect(await reply).toBe(200);
    expect(await receiver.ended).toEqual({ code: 0, signal: null });
    expect(receiver.output()).toMatch(/"type":"InterviewLoadEvent".*"outcome":"answered"/);
    expect(await entryLeftIn(folder, 'InterviewLoadEvent')).toMatchObject({ status: 'done' });
  },
);

it('closes connections that are kept alive for nothing', async () => {
  const { receiver, url, open } = await startWithHandlerRunning(hotdocs, 'InterviewLoadEvent');
  const { hostname, port } = new URL(url);
  const idle = connect(Number(port), hostname);
  idle.write('GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [first] = (await once(idle, 'data')) as [Buffer];
  expect(first.toString()).toMatch(/^HTTP\/1\.1 404 .*\r\n(?!.*Connection: close)/s);
  const closed = once(idle.resume(), 'close');
  receiver.kill('SIGTERM');
  await closed;
  open();
  expect(await receiver.ended).toEqual({ code: 0, signal: null });
});

it('waits for a handler that nobody waits for, and keeps what it did', async () => {
  const { receiver, url, reply, folder, open } = await startWithHandlerRunning(risr, 'booking_updated');
  expect(await reply).toBe(200);
  receiver.kill('SIGTERM');
  await untilNothingListens(url);
  open();
  expect(await receiver.ended).toEqual({ code: 0, signal: null });
  expect(await entryLeftIn(folder, 'booking_updated')).toMatchObject({ status: 'done', attempts: 1 });
});

it('gives back what a handler does not come to an end with in SHUTDOWN_MS, and the attempt does not count', async () => {
  const { receiver, folder } = await startWithHandlerRunning(risr, 'booking_updated', { SHUTDOWN_MS: '300' });
  receiver.kill('SIGTERM');
  expect(await receiver.ended).toEqual({ code: 0, signal: null });
  expect(receiver.output()).toMatch(/"type":"booking_updated".*"outcome":"retry".*interrupted: /);
  expect(await entryLeftIn(folder, 'booking_updated')).toMatchObject({ status: 'waiting', attempts: 0 });
});

it('answers for a handler that does not come to an end in SHUTDOWN_MS what does the least harm', async () => {
  const { receiver, reply, folder } = await startWithHandlerRunning(hotdocs, 'InterviewLoadEvent', {
    SHUTDOWN_MS: '300',
  });
  receiver.kill('SIGTERM');
  expect(await reply).toBe(200);
  expect(await receiver.ended).toEqual({ code: 0, signal: null });
  expect(await entryLeftIn(folder, 'InterviewLoadEvent')).toMatchObject({
    status: 'dead',
    note: 'handler_late: the receiver is shutting down',
  });
});

it('is not ready for SHUTDOWN_DELAY_MS, and still takes deliveries', async () => {
  const receiver = startProcess({ ...enough, ADMIN_PORT: '0', SHUTDOWN_DELAY_MS: LONG });
  const sender = senderTo(await receiver.url());
  const ready = await receiver.said(/^Health on \S+ and (\S+)$/m);
  receiver.kill('SIGTERM');
  await until('it is not ready', async () => (await fetch(ready)).status === 503);
  expect((await sender.fire(risr, 'profile_updated')).status).toBe(200);
  receiver.kill('SIGTERM');
  expect(await receiver.ended).toEqual({ code: null, signal: 'SIGTERM' });
});

it('ends each connection with its next reply from SIGTERM on', async () => {
  const receiver = startProcess({ ...enough, ADMIN_PORT: '0', SHUTDOWN_DELAY_MS: LONG });
  const url = await receiver.url();
  const ready = await receiver.said(/^Health on \S+ and (\S+)$/m);
  const sender = senderTo(url);
  expect((await sender.fire(risr, 'profile_updated')).headers['connection']).toBe('keep-alive');
  receiver.kill('SIGTERM');
  await until('it is not ready', async () => (await fetch(ready)).status === 503);
  const delivered = await sender.fire(risr, 'profile_updated');
  expect([delivered.status, delivered.headers['connection']]).toEqual([200, 'close']);
  expect((await fetch(`${url}/nothing`)).headers.get('connection')).toBe('close');
});

it('ends in order after SHUTDOWN_DELAY_MS', async () => {
  const receiver = startProcess({ ...enough, SHUTDOWN_DELAY_MS: '200' });
  await receiver.url();
  receiver.kill('SIGTERM');
  expect(await receiver.ended).toEqual({ code: 0, signal: null });
});

it('is down within SHUTDOWN_MS and little more, whatever its handlers do', async () => {
  const { receiver } = await startWithHandlerRunning(risr, 'booking_updated', { SHUTDOWN_MS: '1500' });
  const begun = performance.now();
  receiver.kill('SIGTERM');
  await receiver.ended;
  expect(performance.now() - begun).toBeLessThan(5_000);
});

it('on a second SIGTERM ends at once', async () => {
  const { receiver, url, reply } = await startWithHandlerRunning(hotdocs, 'InterviewLoadEvent');
  receiver.kill('SIGTERM');
  await untilNothingListens(url);
  receiver.kill('SIGTERM');
  expect(await receiver.ended).toEqual({ code: null, signal: 'SIGTERM' });
  expect(await reply).toBe('none');
});

it('calls no interview handler again after it was killed: nobody waits any more', async () => {
  const { receiver, folder } = await startWithHandlerRunning(hotdocs, 'InterviewLoadEvent');
  receiver.kill('SIGKILL');
  await receiver.ended;
  const traces = join(folder, 'further-traces');
  const next = startProcess({ ...enough, TRACES: traces }, folder, waitingProgram);
  await until('it is given up', () => next.output().includes('"outcome":"dead"'));
  expect(next.output()).toMatch(/handler_late: .*nobody waits/);
  expect(existsSync(traces)).toBe(false);
});
