import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from '@jest/globals';
import { createProbe, createRestart } from '../../../scripts/conform/owner.ts';
import { freePort } from '../../../src/lab/rig/ports.ts';
import { startServer } from '../../lab/conformance/servers.ts';
import { later, newFolder } from '../../support/fixtures.ts';

let folder = '';
beforeEach(() => void (folder = newFolder()));

it('restarts by a command that leaves the receiver in the background, and waits until it listens', async () => {
  const url = new URL(`http://127.0.0.1:${await freePort()}`);
  const pidFile = join(folder, 'pid');
  const program = `require("node:net").createServer().listen(${url.port}, "127.0.0.1")`;
  const restart = createRestart(`'${process.execPath}' -e '${program}' & echo $! > '${pidFile}'`, url);
  later(() => process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL'));
  await restart();
  await expect(fetch(url, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
});

it('says with what the restart command ended', async () => {
  const restart = createRestart('exit 7', new URL('http://127.0.0.1:1'));
  await expect(restart()).rejects.toThrow('The restart command ended with 7.');
});

it('takes an address for one to ask, and anything else for a command', async () => {
  const told = { effects: [{ type: 'OrderSigned', ref: 'x' }], quarantined: [{}] };
  const server = await startServer(200, JSON.stringify(told));
  later(() => server.stop());
  expect(await createProbe(server.url)()).toEqual(told);
  expect(await createProbe(`echo '${JSON.stringify(told)}'`)()).toEqual(told);
});

it.each([
  ['echo "> npm speaks first"; echo "{\\"effects\\":[]}"', /--silent/],
  ['echo "{\\"done\\":[]}"', /did not tell/],
  ['exit 3', /The probe failed/],
])('refuses what no probe tells: %s', async (command, words) => {
  await expect(createProbe(command)()).rejects.toThrow(words);
});
