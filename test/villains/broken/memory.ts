import type { Socket } from 'node:net';
import { createHash } from 'node:crypto';
import * as http from '../http.ts';
import { Refusal, type Delivery, type Parts, type Route } from '../parts.ts';
import * as proof from '../proof.ts';
import { believed } from '../reading.ts';
import { createReceiver } from '../receiver.ts';
import { right } from '../right.ts';
import { all, tokens, type Villain } from '../villain.ts';

/** A memory of its own for each that is started. */
function remembering(parts: (memory: Set<string>) => Partial<Parts>): Villain['start'] {
  return (credentials) => createReceiver({ ...right, ...parts(new Set()) })(credentials);
}

/** Asks its memory first, and remembers what was proven by what this names. */
function knowing(nameOf: (delivery: Delivery) => string): Villain['start'] {
  return remembering((memory) => ({
    prove(delivery, parts) {
      const name = nameOf(delivery);
      if (name !== '' && memory.has(name)) return believed(delivery);
      const content = proof.prove(delivery, parts);
      memory.add(name);
      return content;
    },
  }));
}

/** The token of a delivery, as far as it has one. */
function tokenOf({ query, body }: Delivery): string {
  return /ey[\w-]+\.[\w-]+\.[\w-]+/.exec(`${query}\n${body.toString('latin1')}`)?.[0] ?? '';
}

/** What goes wrong where something that was right is remembered. */
export const memoryVillains: readonly Villain[] = [
  {
    name: 'remembers which signatures were right',
    sources: ['phenixid'],
    breaks: 'Signatures are cached to save the HMAC, without the body that they were made for.',
    claimedBy: ['L8-used-again'],
    start: knowing(({ headers }) => String(headers['x-signature'] ?? '')),
  },
  {
    name: 'remembers tokens by their signature',
    sources: tokens,
    breaks: 'The cache of verified tokens has their third part for its key, since that is short and unique.',
    claimedBy: ['L8-used-again'],
    start: knowing((delivery) => tokenOf(delivery).split('.')[2] ?? ''),
  },
  {
    name: 'remembers tokens for all its endpoints',
    sources: tokens,
    breaks:
      'One cache of verified tokens serves all endpoints: what one of them has verified all others believe.',
    claimedBy: ['L8-used-again'],
    start: knowing(tokenOf),
  },
  {
    name: 'looks for repeats before it verifies',
    sources: all,
    breaks: 'A known event is answered at once, as the sender waits; its proof is not looked at.',
    claimedBy: ['L9-known-event'],
    start: remembering((memory) => ({
      prove(delivery, parts) {
        const content = believed(delivery);
        const [id = ''] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(content.toString()) ?? [];
        if (memory.has(id)) return content;
        memory.add(id);
        try {
          return proof.prove(delivery, parts);
        } catch (error) {
          memory.delete(id);
          throw error;
        }
      },
    })),
  },
  {
    name: 'verifies once per connection',
    sources: all,
    breaks: 'A connection is the proxy, and the proxy has shown who it is with its first request.',
    claimedBy: ['L10-each-for-itself'],
    start: (credentials) => {
      const connections = new WeakMap<Route, Socket>();
      const proven = new WeakSet<Socket>();
      return createReceiver({
        ...right,
        route(request, known) {
          const route = http.route(request, known);
          connections.set(route, request.socket);
          return route;
        },
        prove(delivery, parts) {
          const socket = connections.get(delivery.route);
          if (socket !== undefined && proven.has(socket)) return believed(delivery);
          const content = proof.prove(delivery, parts);
          if (socket !== undefined) proven.add(socket);
          return content;
        },
      })(credentials);
    },
  },
  {
    name: 'keeps a session',
    sources: all,
    breaks: 'The session of the framework remembers that its owner was verified, and sets a cookie for it.',
    claimedBy: ['L10-each-for-itself'],
    start: remembering((memory) => ({
      prove(delivery, parts) {
        if (memory.has(delivery.headers.cookie ?? '')) return believed(delivery);
        return proof.prove(delivery, parts);
      },
      finish(reply) {
        if (reply.status !== 200) return reply;
        const session = `session=${memory.size}`;
        memory.add(session);
        return { ...reply, headers: { ...reply.headers, 'Set-Cookie': `${session}; HttpOnly; Path=/` } };
      },
    })),
  },
  {
    name: 'gives in at the third try',
    sources: all,
    breaks: 'A sender that sends the same again and again means it: rather a wrong event than a lost one.',
    claimedBy: ['L10-each-for-itself'],
    start: remembering((memory) => ({
      prove(delivery, parts) {
        const name = createHash('sha256').update(delivery.body).update(delivery.query).digest('hex');
        try {
          return proof.prove(delivery, parts);
        } catch (error) {
          const tries = ['first', 'second'].find((time) => !memory.has(`${time} ${name}`));
          if (tries === undefined && error instanceof Refusal) return believed(delivery);
          memory.add(`${tries ?? ''} ${name}`);
          throw error;
        }
      },
    })),
  },
];
