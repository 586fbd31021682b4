import { createServer } from 'node:http';
import { beforeAll, afterAll, expect, it } from '@jest/globals';
import { sources } from '../../src/kit/sources/index.ts';
import { freePort } from '../../src/lab/rig/ports.ts';
import { runScript } from '../support/command.ts';
import { listening } from '../support/fixtures.ts';
import { secretsFor, startReceiver, type TestReceiver } from '../support/receiver.ts';

const secrets = secretsFor(sources);

let receiver: TestReceiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.stop());

const doctor = (args: readonly string[], env: Record<string, string> = secrets) =>
  runScript('doctor', args, env);

it('asks at every endpoint that has a secret, and ends with 0 where nothing is wrong', async () => {
  const most = { ...secrets, RISR_USER_REGISTERED_SECRET: '' };
  const { code, out, err } = await doctor(['--url', receiver.url], most);
  expect(err).toBe('');
  expect(out).toContain('–   no secret, so no canaries: risr/user_registered\n');
  expect(out.match(/^ok {2}a delivery, /gm)).toHaveLength(10);
  expect(out).not.toMatch(/BAD|FAULT|To know/);
  expect(out).toMatch(/\nNothing on the way changes, drops or refuses a delivery\.\n$/);
  expect(code).toBe(0);
});

it('finds the way to an endpoint that has another address outside', async () => {
  const elsewhere = ['--source', 'phenixid', '--endpoint', `phenixid=${receiver.url}/phenixid/`];
  const { code, out } = await doctor(['--url', 'http://127.0.0.1:1', ...elsewhere]);
  expect(out).toContain('say a delivery, phenixid: slashes-tidied\n');
  expect(code).toBe(0);
});

it('says what is wrong, whose it is, and what to write, and ends with 1', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(302, { Server: 'a proxy', Location: 'https://login.example.org/?token=x' }).end();
  });
  const url = `http://127.0.0.1:${await listening(server)}`;
  const { code, out } = await doctor(['--url', url, '--source', 'phenixid', '--proxy', 'HAProxy,ALB']);
  expect(out).toBe(`BAD a delivery, phenixid: redirected

FAULT redirected: The request is redirected; no sender follows.
  seen    302 to https://login.example.org/
  likely  the proxy that speaks to the outside: a rule for https, www or a final slash
  HAProxy   # no http-request redirect for these paths
  ALB       No rule with the action redirect for these paths

The way is not right: deliveries are lost or refused by what stands above.
`);
  expect(code).toBe(1);
});

it('tells a program the same', async () => {
  const { code, out } = await doctor(['--url', receiver.url, '--source', 'risr', '--json']);
  const { verdict, asked, findings } = JSON.parse(out) as Record<string, unknown>;
  expect({ verdict, findings }).toEqual({ verdict: 'conformant', findings: [] });
  expect(asked).toContainEqual({ name: 'a delivery', at: 'risr/profile_updated', found: [] });
  expect(code).toBe(0);
});

it('ends with 3 where nothing answers, and with 4 where no canary is recognised', async () => {
  const nobody = await doctor(['--url', `http://127.0.0.1:${await freePort()}`]);
  expect(nobody.out).toMatch(/\nNothing answers there: .*\n$/);
  expect(nobody.code).toBe(3);
  const stranger = await doctor(['--url', receiver.url], {
    PHENIXID_SECRET: 'another-secret-0123456789abcdef',
  });
  expect(stranger.out).toContain('FAULT unrecognised');
  expect(stranger.code).toBe(4);
});

it.each([
  [['--proxy', 'ngnix'], /Did you mean nginx\?/],
  [['--url', 'hooks.example.org'], /^--url: expected an address/],
  [['--url', 'https://hooks.example.org/?key=x'], /^--url: expected no query/],
  [['--secret', 'x'], /^A secret does not belong on a command line/],
  [['--cert', 'x.pem'], /^--cert and --key belong together/],
  [['--patience'], /Did you mean --patient\?/],
])('ends with 2 for %j', async (args, words) => {
  const { code, out, err } = await doctor(args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(words);
});

it('says which variables would do where no secret is set', async () => {
  const { code, err } = await doctor(['--source', 'phenixid'], {});
  expect(err).toMatch(/^No endpoint has a secret\..*\n {2}PHENIXID_SECRET$/m);
  expect(code).toBe(2);
});
