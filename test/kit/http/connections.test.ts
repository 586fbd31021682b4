import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import { projectFile, startProgram, type ProgramProcess } from '../../../src/lab/rig/program.ts';
import { later, newFolder } from '../../support/fixtures.ts';
import { enough } from '../../support/processes.ts';
import { exchange } from '../../support/raw.ts';
import { until } from '../../support/until.ts';

const ASKING = 'GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** A connection that says nothing by itself. */
async function connectedTo(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  later(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function startWithOpenFiles(files: number, env: Readonly<Record<string, string>> = {}): ProgramProcess {
  const started = startProgram({
    main: projectFile('src/example/main.ts'),
    folder: newFolder(),
    env: { ...enough, ADMIN_PORT: 'off', ...env },
    under: ['sh', '-c', `ulimit -n ${files}; exec "$0" "$@"`],
  });
  later(async () => {
    started.kill();
    await started.ended;
  });
  return started;
}

it('keeps fewer connections than MAX_CONNECTIONS where it may not open so many files, and says so', async () => {
  const receiver = startWithOpenFiles(256);
  const url = await receiver.url();
  await receiver.said(/(may open 256 files, so 128 connections are kept and not MAX_CONNECTIONS)/);
  const sockets = await Promise.all(Array.from({ length: 300 }, () => connectedTo(url)));
  await until('those beyond it are closed', () => sockets.filter(({ closed }) => closed).length >= 172);
  expect((await exchange(url, ASKING)).status).toBe(404);
});

it('says nothing where MAX_CONNECTIONS fits', async () => {
  const receiver = startWithOpenFiles(256, { MAX_CONNECTIONS: '128' });
  await receiver.url();
  expect(receiver.output()).not.toContain('MAX_CONNECTIONS');
});
