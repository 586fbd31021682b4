import { expect, it } from '@jest/globals';
import { targetsOf } from '../../../scripts/conform/targets.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import type { Credential } from '../../villains/parts.ts';
import { createReceiver } from '../../villains/receiver.ts';
import { right } from '../../villains/right.ts';
import { startServer } from '../../lab/conformance/servers.ts';
import { later } from '../../support/fixtures.ts';
import { runHere } from '../../support/in-one-process.ts';

const north = 'a-secret-of-the-north-that-is-only-for-tests';
const south = 'a-secret-of-the-south-that-is-only-for-tests';
const both = { PHENIXID_NORTH_SECRET: north, PHENIXID_SOUTH_SECRET: south };

function targets(endpoint: readonly string[], env: Readonly<Record<string, string>>) {
  const url = new URL('http://127.0.0.1:1/base');
  const none = { further: [], switch: [], accepts: [], maxBody: [] };
  return targetsOf({ ...none, sources: [phenixid, risr], url, endpoint, env });
}

it('makes an endpoint of each installation, with a secret of its own', () => {
  const { endpoints, leftOut } = targets(installations('http://127.0.0.1:1/phenixid'), both);
  expect(endpoints.map(({ name, credential, switches }) => [name, credential.text, switches])).toEqual([
    ['phenixid?key=north', north, { key: 'north' }],
    ['phenixid?key=south', south, { key: 'south' }],
  ]);
  expect(leftOut.map(({ name }) => name)).toContain('risr/user_logged_in');
});

it('can tell the switches of one installation', () => {
  const { endpoints } = targetsOf({
    sources: [phenixid],
    further: [],
    url: new URL('http://127.0.0.1:1'),
    endpoint: installations('http://127.0.0.1:1/phenixid'),
    switch: ['phenixid?key=south:encoding=base64'],
    accepts: [],
    maxBody: [],
    env: both,
  });
  expect(endpoints.map(({ switches }) => switches['encoding'])).toEqual([undefined, 'base64']);
});

it.each([
  [['risr/user_logged_in=http://127.0.0.1:1/a', 'risr/user_logged_in=http://127.0.0.1:1/b']],
  [['phenixid=http://127.0.0.1:1/a?key=north', 'phenixid=http://127.0.0.1:1/b?key=north']],
])('refuses two addresses of one endpoint that no ?key= tells apart: %j', (addresses) => {
  expect(() => targets(addresses, both)).toThrow('differ by no ?key=');
});

it('seals what it has no secret for: a stranger would send what it sends there', () => {
  const { endpoints, leftOut } = targets(installations('http://127.0.0.1:1/phenixid'), {
    PHENIXID_NORTH_SECRET: north,
  });
  expect(endpoints.map(({ name, sealed }) => [name, sealed])).toEqual([['phenixid?key=north', undefined]]);
  const [first] = leftOut;
  expect(first).toMatchObject({
    name: 'phenixid?key=south',
    variables: ['PHENIXID_SOUTH_SECRET'],
    sealed: { sealed: true, switches: { key: 'south' } },
  });
});

it('says which installation is opened by the secret of another', async () => {
  const secrets = new Map<string, Credential>([
    ['/phenixid', { kind: 'SECRET', text: north, key: 'north' }],
    ['/phenixid?key=south', { kind: 'SECRET', text: south, key: 'south' }],
  ]);
  const apart = await createReceiver(right)(secrets);
  later(() => apart.stop());
  const mixed = await startServer(200);
  later(() => mixed.stop());
  const conform = (address: string) => {
    const elsewhere = installations(address).flatMap((each) => ['--endpoint', each]);
    const args = ['--url', new URL(address).origin, '--source', 'phenixid', ...elsewhere];
    return runHere('conform', [...args, '--only', 'C6-*'], both);
  };
  const [rightly, wrongly] = [
    await conform(new URL('/phenixid', apart.url).href),
    await conform(`${mixed.url}/hooks`),
  ];
  expect(rightly).toMatchObject({ code: 0 });
  expect(rightly.out).toMatch(/^2 cases for phenixid at/m);
  expect(wrongly.code).toBe(1);
  expect(wrongly.out).toMatch(
    /^✗ C6-other-installation\/phenixid\?key=north\/.* accepts a delivery of phenixid\?key=south under the key of this installation$/m,
  );
});

it('tries an endpoint without a secret with what must be refused', async () => {
  const secrets = new Map([['/phenixid', { kind: 'SECRET', text: north }]]);
  const closed = await createReceiver(right)(secrets);
  later(() => closed.stop());
  const url = closed.url.origin;
  const args = ['--url', url, '--source', 'phenixid', '--source', 'risr', '--only', 'L11-*'];
  const refused = await runHere('conform', args, { PHENIXID_SECRET: north });
  expect(refused).toMatchObject({ code: 0 });
  expect(refused.out).toMatch(/^15 cases for phenixid at/m);
  expect(refused.out).toContain(
    'Left out, without a secret: risr/user_logged_in (RISR_USER_LOGGED_IN_SECRET). Only whether it lets nobody in is tried.',
  );
});

it('says how an endpoint without a secret is open', async () => {
  const unset = { kind: 'SECRET', text: 'undefined' };
  const secrets = new Map([
    ['/phenixid', { kind: 'SECRET', text: north }],
    ['/risr/user_logged_in', unset],
  ]);
  const open = await createReceiver(right)(secrets);
  later(() => open.stop());
  const args = ['--url', open.url.origin, '--source', 'phenixid', '--source', 'risr', '--only', 'L11-*'];
  const { code, out } = await runHere('conform', args, { PHENIXID_SECRET: north });
  expect(code).toBe(1);
  expect(out).toMatch(
    /^✗ L11-no-secret\/risr\/user_logged_in\/.*a delivery that is proven with the word undefined for a secret/m,
  );
});

function installations(address: string): string[] {
  return ['north', 'south'].map((key) => `phenixid=${address}?key=${key}`);
}
