import type { LookupAddress } from 'node:dns';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { createOutgoing, type Outgoing } from '../../../src/kit/outgoing/client.ts';
import { readHosts } from '../../../src/kit/outgoing/hosts.ts';
import { errorOf, outcomeOf, startOtherSide, type OtherSide } from './other-side.ts';

let listening: OtherSide;
let outgoing: Outgoing | undefined;

beforeAll(async () => {
  // Closing after each reply, so that each call needs a new connection.
  listening = await startOtherSide((_, response) => response.setHeader('Connection', 'close').end('reached'));
});

afterEach(() => outgoing?.close());
afterAll(() => listening.stop());

const loopback: LookupAddress = { address: '127.0.0.1', family: 4 };
/** On most systems a connection to it ends at this very machine. */
const unspecified: LookupAddress = { address: '0.0.0.0', family: 4 };

interface Names {
  /** PORT is the port of the server that counts. */
  readonly hosts: readonly string[];
  /** What DNS says, time after time; the last answer is repeated. */
  readonly answers: readonly (readonly LookupAddress[])[];
}

function outgoingWith({ hosts, answers }: Names) {
  let asked = 0;
  const made = createOutgoing({
    hosts: hosts.map((host) => host.replace('PORT', String(listening.port))),
    lookup: async () => answers[asked++] ?? answers.at(-1) ?? [],
  });
  outgoing = made;
  const get = () => made.request({ method: 'GET', url: new URL(`http://name.example:${listening.port}/`) });
  return { get, asked: () => asked };
}

/** How many connections came while something was done. */
async function connectionsDuring(act: () => Promise<unknown>): Promise<number> {
  const before = listening.connections();
  await act();
  return listening.connections() - before;
}

it('reaches a private address through a listed name if that address is listed with its port', async () => {
  const { get } = outgoingWith({
    hosts: ['http://name.example:PORT', '127.0.0.1:PORT'],
    answers: [[loopback]],
  });
  expect(await connectionsDuring(async () => expect(await outcomeOf(get())).toBe(200))).toBe(1);
});

it.each([
  ['not listed', []],
  ['listed with another port', ['127.0.0.1', '127.0.0.1:1']],
])('J2: connects to no private address that is %s', async (_, further) => {
  const { get } = outgoingWith({ hosts: ['http://name.example:PORT', ...further], answers: [[loopback]] });
  const connections = await connectionsDuring(async () => {
    const error = await errorOf(get());
    expect(error.code).toBe('address_private');
    expect(error.message).toBe(
      'name.example leads to 127.0.0.1, a private, local or reserved address; nothing was sent. ' +
        `If it is meant to, list 127.0.0.1:${listening.port} as well.`,
    );
  });
  expect(connections).toBe(0);
});

it('J2: refuses a name that is bound anew from a listed address to another one', async () => {
  const { get, asked } = outgoingWith({
    hosts: ['http://name.example:PORT', '127.0.0.1:PORT'],
    answers: [[loopback], [unspecified]],
  });
  const connections = await connectionsDuring(async () => {
    expect(await outcomeOf(get())).toBe(200);
    expect(await outcomeOf(get())).toBe('refused address_private');
  });
  expect(connections).toBe(1);
  // One question a connection: there is no check before it whose answer could differ.
  expect(asked()).toBe(2);
});

it('J2: of several addresses of a name connects to the permitted ones only', async () => {
  const { get } = outgoingWith({
    hosts: ['http://name.example:PORT', '127.0.0.1:PORT'],
    answers: [[unspecified, { address: '::ffff:127.0.0.1', family: 6 }, loopback]],
  });
  expect(await connectionsDuring(async () => expect(await outcomeOf(get())).toBe(200))).toBe(1);
});

it('fails for a name that has no address', async () => {
  const { get } = outgoingWith({ hosts: ['http://name.example:PORT'], answers: [[]] });
  expect(await outcomeOf(get())).toBe('failed connection');
});

it('resolves names by the system where nothing else is given', async () => {
  outgoing = createOutgoing({ hosts: [`http://localhost:${listening.port}`, `127.0.0.1:${listening.port}`] });
  const url = new URL(`http://localhost:${listening.port}/`);
  expect(await outcomeOf(outgoing.request({ method: 'GET', url }))).toBe(200);
});

it.each([
  ['::1', '::1', 443],
  ['[::1]:8443', '::1', 8443],
  ['http://[0:0::1]:4000', '::1', 4000],
  ['[::ffff:127.0.0.1]', '::ffff:7f00:1', 443],
  ['10.1.2.3', '10.1.2.3', 443],
  ['http://10.1.2.3', '10.1.2.3', 80],
])('lets names lead to the listed address %s, and to no other port or address', (entry, address, port) => {
  const hosts = readHosts([entry]);
  expect(hosts.mayLeadTo(address, port)).toBe(true);
  expect(hosts.mayLeadTo(address, port + 1)).toBe(false);
  expect(hosts.mayLeadTo('10.1.2.4', port)).toBe(false);
  expect(hosts.mayLeadTo('::2', port)).toBe(false);
  expect(hosts.mayLeadTo('1.1.1.1', 22)).toBe(true);
});
