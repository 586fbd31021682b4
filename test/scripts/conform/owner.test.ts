import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { beforeEach, expect, it } from '@jest/globals';
import { createProbe, createRestart, environmentOutsideNpm } from '../../../scripts/conform/owner.ts';
import { freePort } from '../../../src/lab/rig/ports.ts';
import { startServer } from '../../lab/conformance/servers.ts';
import { later, newFolder } from '../../support/fixtures.ts';

let folder = '';
beforeEach(() => void (folder = newFolder()));

it('restarts by a command that leaves the receiver in the background, and waits until it listens', async () => {
  const url = new URL(`http://127.0.0.1:${await freePort()}`);
  const pidFile = join(folder, 'pid');
  const program = `require("node:net").createServer().listen(${url.port}, "127.0.0.1")`;
  const restart = createRestart(
    `'${process.execPath}' -e '${program}' & echo $! > '${pidFile}'`,
    url,
    process.env,
  );
  later(() => process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL'));
  await restart();
  await expect(fetch(url, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
});

it('says with what the restart command ended', async () => {
  const restart = createRestart('exit 7', new URL('http://127.0.0.1:1'), process.env);
  await expect(restart()).rejects.toThrow('The restart command ended with 7.');
});

it('takes an address for one to ask, and anything else for a command', async () => {
  const told = { effects: [{ type: 'OrderSigned', ref: 'x' }], quarantined: [{}] };
  const server = await startServer(200, JSON.stringify(told));
  later(() => server.stop());
  expect(await createProbe(server.url, process.env)()).toEqual(told);
  expect(await createProbe(`echo '${JSON.stringify(told)}'`, process.env)()).toEqual(told);
});

it('takes null for what is not there', async () => {
  const told = '{"effects":[{"type":"OrderSigned","ref":null},{"type":null,"ref":"x"}],"quarantined":[]}';
  await expect(createProbe(`echo '${told}'`, process.env)()).resolves.toEqual({
    effects: [{ type: 'OrderSigned' }, { ref: 'x' }],
    quarantined: [],
  });
});

it.each([
  [
    'echo "> npm speaks first"; echo "{\\"effects\\":[]}"',
    /begins with "> npm speaks first.*no JSON.*--silent/,
  ],
  ['echo "{\\"done\\":[]}"', /did not tell.*: effects: .*expected array.*; it begins with "\{\\"done/],
  ['echo "{\\"effects\\":[{},{\\"ref\\":7}]}"', /: effects\.1\.ref: .*expected string, received number/],
  ['true', /it told nothing at all/],
  ['exit 3', /The probe failed/],
])('refuses what no probe tells, and says what is wrong with it: %s', async (command, words) => {
  await expect(createProbe(command, process.env)()).rejects.toThrow(words);
});

it('runs the commands of an owner with the path from before npm', async () => {
  const added = ['/srv/kit/node_modules/.bin', '/srv/node_modules/.bin', '/npm/run-script/node-gyp-bin'];
  const own = ['/opt/node/bin', '/elsewhere/node_modules/.bin', '/srv/kit/node_modules/.bin', '/bin'];
  const PATH = [...added, ...own].join(delimiter);
  expect(environmentOutsideNpm({ PATH, HOME: '/home' }, '/srv/kit')).toEqual({
    PATH: own.join(delimiter),
    HOME: '/home',
  });
  const file = join(folder, 'path');
  const env = environmentOutsideNpm({ PATH: `/srv/kit/node_modules/.bin${delimiter}/bin` }, '/srv/kit');
  await createProbe(`echo "$PATH" > '${file}'; echo '{"effects":[]}'`, env)();
  expect(readFileSync(file, 'utf8')).toBe('/bin\n');
});
