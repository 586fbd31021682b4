import { createServer } from 'node:http';
import { expect, it } from '@jest/globals';
import { listen } from '../../../src/kit/http/listen.ts';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import { readHandedSockets } from '../../../src/kit/program/handed-sockets.ts';
import { Reader } from '../../../src/kit/program/reader.ts';
import { newInboxUrl } from '../../support/fixtures.ts';

function read(env: Readonly<Record<string, string>>) {
  const reader = new Reader(env);
  return { ...readHandedSockets(reader, 42), problems: reader.problems };
}

it.each([
  ['one', { LISTEN_FDS: '1' }, { receiver: 3, admin: undefined }],
  ['one with the name of its unit', { LISTEN_FDS: '1', LISTEN_FDNAMES: 'kit.socket' }, { receiver: 3 }],
  ['two by name', { LISTEN_FDS: '2', LISTEN_FDNAMES: 'admin:receiver' }, { receiver: 4, admin: 3 }],
  ['that of the operations port only', { LISTEN_FDS: '1', LISTEN_FDNAMES: 'admin' }, { admin: 3 }],
])('takes the sockets that it is handed: %s', (_name, env, sockets) => {
  expect(read({ LISTEN_PID: '42', ...env })).toEqual({ ...sockets, problems: [] });
});

it.each([
  ['another process', { LISTEN_PID: '41', LISTEN_FDS: '1' }],
  ['nobody', { LISTEN_FDS: '1' }],
  ['it, but no number', { LISTEN_PID: '42', LISTEN_FDS: 'one' }],
])('takes none that were handed to %s', (_name, env) => {
  expect(read(env)).toMatchObject({ problems: [] });
  expect(read(env).receiver).toBeUndefined();
});

it('says what to change where it is handed more sockets than it can take', () => {
  const env = { LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'kit.socket:kit.socket' };
  expect(read(env).problems).toEqual([expect.stringMatching(/2 sockets.*one ListenStream.*=admin/)]);
});

it('says which descriptor it was handed that is no socket', async () => {
  await expect(
    listen(createServer(), { host: '127.0.0.1', port: 0, variable: 'PORT', handed: 0 }),
  ).rejects.toThrow(/descriptor 0 is a socket that listens, but.*Accept=no/);
});

const room = { maxWaiting: 10, owner: true };

it('waits for a receiver that ends, and says so once', async () => {
  const url = newInboxUrl();
  const first = await openInbox(url, room);
  const waits: string[] = [];
  const { promise: waiting, resolve } = Promise.withResolvers<void>();
  const onWait = () => {
    waits.push('waits');
    resolve();
  };
  const second = openInbox(url, { ...room, handOver: { withinMs: 60_000, onWait } });
  await waiting;
  await first.close();
  await (await second).close();
  expect(waits).toHaveLength(1);
});

it('waits no longer than it is told', async () => {
  const url = newInboxUrl();
  const first = await openInbox(url, room);
  const handOver = { withinMs: 50, onWait: () => undefined };
  await expect(openInbox(url, { ...room, handOver })).rejects.toThrow('Another receiver is running');
  await first.close();
});
