import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { freePort } from '../../src/lab/rig/ports.ts';
import { compiled, projectFile } from '../../src/lab/rig/program.ts';
import { later, listening, newFolder } from '../support/fixtures.ts';
import { enough } from '../support/processes.ts';
import { copyProject } from '../support/project-copy.ts';
import { until } from '../support/until.ts';

const usual = {
  ...compiled,
  ...enough,
  ...{ KIT_APP: 'src/example', INBOX_URL: 'memory:', RECORDS_FILE: ':memory:' },
  ...{ PORT: '0', ADMIN_PORT: '0', MOCK_PORT: '0' },
};

interface Developing {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly watch?: boolean;
  /** Of the project. */
  readonly root?: string;
}

/** What `npm run dev` starts, until this test is over, and what it tells people. */
function develop({ env = {}, args = [], watch = false, root = projectFile('') }: Developing) {
  const script = [...(watch ? ['--watch'] : []), join(root, 'scripts/dev.ts')];
  const child = spawn(process.execPath, [...script, ...args], {
    cwd: newFolder(),
    env: { ...usual, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const { pid = 0 } = child;
  const isThere = () => child.exitCode === null && child.signalCode === null;
  later(() => {
    if (isThere()) process.kill(-pid, 'SIGKILL');
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (words: string) => (said += words));
  return {
    said: () => said,
    /** To all of its group, as a terminal does. */
    async end(signal: NodeJS.Signals): Promise<number | null> {
      process.kill(-pid, signal);
      if (isThere()) await once(child, 'close');
      return child.exitCode;
    },
    ended: async () => {
      if (isThere()) await once(child, 'close');
      return child.exitCode;
    },
    async address(name: string): Promise<string> {
      const pattern = new RegExp(`^${name} +(http\\S+)$`, 'm');
      await until(`it says ${name}`, () => pattern.test(said) || !isThere());
      return pattern.exec(said)?.[1] ?? said;
    },
    started: (times: number) =>
      until(`it has started ${times} times`, () => (said.match(/^Listening on /gm)?.length ?? 0) >= times),
  };
}

async function page(address: string): Promise<string> {
  const response = await fetch(address);
  return `${response.status} ${await response.text()}`;
}

it('says where everything is, first of all, and sends from the page of the mock', async () => {
  const developing = develop({});
  await developing.started(1);
  expect(developing.said()).toMatch(
    /^Handlers call the APIs of the mock, since none is set of .+\nConsole +http.+\nReceiver +http.+\nMock +http.+\n\nadvance-receiver-kit/,
  );
  const [admin, mock] = [await developing.address('Console'), await developing.address('Mock')];
  expect(await page(mock)).toMatch(/^200 [^]*hotdocs – HotDocs Advance/);
  const response = await fetch(`${admin}/mock/send/risr?part`, {
    method: 'POST',
    headers: { Origin: admin, 'HX-Request': 'true' },
    body: new URLSearchParams({ type: 'profile_updated' }),
  });
  expect(await response.text()).toContain('>right<');
  // As it came, too: all of them are kept.
  await until('it is on the tape', async () =>
    (await page(`${admin}/deliveries/1`)).includes('POST /risr/profile_updated HTTP/1.1'),
  );
  expect(await developing.end('SIGINT')).toBe(0);
});

it('leaves the mock away where it is not wanted', async () => {
  const developing = develop({ args: ['--no-mock'] });
  await developing.started(1);
  expect(developing.said()).toMatch(/^Console +http.+\nReceiver +http.+\n\nadvance-receiver-kit/);
  const admin = await developing.address('Console');
  expect(await page(admin)).toMatch(/^200 [^]*development, may act/);
  expect(await page(`${admin}/mock`)).toMatch(/^404 /);
});

it('takes a free port for the mock where its own is taken, and says so', async () => {
  const MOCK_PORT = String(await listening(createServer()));
  const developing = develop({ env: { MOCK_PORT } });
  expect(await page(await developing.address('Mock'))).toMatch(/^200 /);
  expect(developing.said()).toMatch(`MOCK_PORT: ${MOCK_PORT} is taken, so the mock has `);
});

it('leaves the API of a product alone that is set up, if only in part', async () => {
  const developing = develop({ env: { RISR_API_ORGANISATION: 'org_ours' } });
  expect(await developing.ended()).toBe(1);
  expect(developing.said()).toMatch(/^Not started:\n {2}- The API of risr is set up in part/);
});

it('says of a configuration that is wrong what the receiver would say, and no address', async () => {
  const secrets = Object.keys(enough).filter((name) => name.endsWith('_SECRET'));
  const developing = develop({ env: Object.fromEntries(secrets.map((name) => [name, ''])) });
  expect(await developing.ended()).toBe(1);
  expect(developing.said()).toMatch(/^Not started:\n {2}- No endpoint has a secret/);
});

it('starts again at the same addresses when a file is saved', async () => {
  const copy = copyProject(['src', 'scripts', 'package.json']);
  later(() => copy.remove());
  const [PORT, ADMIN_PORT, MOCK_PORT] = [await freePort(), await freePort(), await freePort()].map(String);
  const developing = develop({
    watch: true,
    root: copy.root,
    env: { PORT: PORT ?? '', ADMIN_PORT: ADMIN_PORT ?? '', MOCK_PORT: MOCK_PORT ?? '' },
  });
  await developing.started(1);
  copy.replace('src/example/index.ts', 'This is the reference receiver', 'This is another one');
  await developing.started(2);
  expect(developing.said()).toContain('This is another one');
  expect(developing.said()).not.toContain('is taken');
  expect(await page(`http://127.0.0.1:${MOCK_PORT ?? ''}`)).toMatch(/^200 /);
  expect(await page(`http://127.0.0.1:${ADMIN_PORT ?? ''}/mock`)).toMatch(/^200 /);
  await developing.end('SIGINT');
  await expect(fetch(`http://127.0.0.1:${MOCK_PORT ?? ''}`)).rejects.toThrow('fetch failed');
});

it('leaves no receiver behind when its terminal is closed', async () => {
  const developing = develop({ watch: true });
  await developing.started(1);
  await developing.end('SIGHUP');
  for (const name of ['Receiver', 'Mock'])
    await expect(fetch(await developing.address(name))).rejects.toThrow('fetch failed');
});
