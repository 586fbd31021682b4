import { setTimeout as pause } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import { read } from '../content.ts';
import type { Event, Parts } from '../parts.ts';
import { Refusal } from '../parts.ts';
import * as proof from '../proof.ts';
import { store } from '../journal.ts';
import { all, broken, tokens, type Villain } from '../villain.ts';

/** Changes what is known of an event. */
function knowing(
  change: (event: Event, delivery: Parameters<Parts['read']>[1]) => Partial<Event>,
): Partial<Parts> {
  return {
    read: (content, delivery) => {
      const event = read(content, delivery);
      return { ...event, ...change(event, delivery) };
    },
  };
}

/** Longer than the next delivery takes to come on a slow machine. */
const OVERTAKEN_MS = 3_000;

/** What goes wrong between a genuine delivery and its one effect. */
export const duplicateVillains: readonly Villain[] = [
  {
    name: 'has no idea of duplicates',
    sources: tokens,
    breaks: 'What is delivered twice is done twice.',
    claimedBy: ['I3-at-once'],
    start: broken(knowing(() => ({ key: undefined }))),
  },
  {
    name: 'looks for duplicates and then waits',
    sources: tokens,
    breaks: 'Between looking and storing there is time for twenty others.',
    claimedBy: ['I3-at-once'],
    start: broken({
      async store(event, journal) {
        const known = journal.has(event);
        await pause(100);
        if (!known) journal.append(event);
      },
    }),
  },
  {
    name: 'knows duplicates by their bytes',
    sources: tokens,
    breaks: 'The same event in other bytes, signed anew or with a line end more, is another one.',
    claimedBy: ['I4-twins'],
    start: broken(
      knowing((_event, { body, query, headers }) => ({
        key: createHash('sha256').update(body).update(query).update(JSON.stringify(headers)).digest('hex'),
      })),
    ),
  },
  {
    name: 'knows duplicates by an unsigned header',
    sources: tokens,
    breaks: 'X-Request-Id decides, which anybody can change on the way.',
    claimedBy: ['I5-unsigned-header'],
    start: broken(
      knowing(({ key }, { headers }) => {
        const names = ['x-request-id', 'x-delivery-id', 'webhook-id', 'idempotency-key', 'x-webhook-id'];
        const id = names.map((name) => headers[name]).find((value) => value !== undefined);
        return { key: id === undefined ? key : String(id) };
      }),
    ),
  },
  {
    name: 'remembers ids before they are proven',
    sources: tokens,
    breaks: 'A forged delivery with the id of a genuine one makes the genuine one a duplicate.',
    claimedBy: ['I5-forged-first'],
    start: (credentials) => {
      const seen = new Set<string>();
      const proven = new Set<string>();
      return broken({
        prove(delivery, parts) {
          const text = delivery.body.toString('latin1') + delivery.query;
          const payload = /ey[\w-]+\.([\w-]+)/.exec(text)?.[1] ?? '';
          const { ref } = read(Buffer.from(payload, 'base64url'), delivery);
          const known = seen.has(ref) && !proven.has(ref);
          seen.add(ref);
          const content = proof.prove(delivery, parts);
          if (!known) proven.add(ref);
          return content;
        },
        store(event, journal) {
          if (proven.has(event.ref)) store(event, journal);
        },
      })(credentials);
    },
  },
  {
    name: 'knows duplicates by their content',
    sources: tokens,
    breaks: 'Two events that say the same under two ids are one to it.',
    claimedBy: ['I5-other-id'],
    start: broken({
      read(content, delivery) {
        const event = read(content, delivery);
        const others = content
          .toString()
          .replace(event.ref, '')
          .replace(/"createdDate":"[^"]*"/, '');
        return { ...event, key: createHash('sha256').update(others).digest('hex') };
      },
    }),
  },
  {
    name: 'drops notifications that look alike',
    sources: ['phenixid'],
    breaks:
      'The second signature of a task makes the same bytes as the first, and is taken for its duplicate.',
    claimedBy: ['I3-repeats'],
    start: broken(knowing(({ type, ref }) => ({ key: `${type} ${ref}` }))),
  },
  {
    name: 'says 409 to duplicates',
    sources: tokens,
    breaks: 'The sender hears of a failure, and sends again until it gives up on the address.',
    claimedBy: ['A28-again'],
    start: broken({
      store(event, journal) {
        if (journal.has(event)) throw new Refusal(409);
        journal.append(event);
      },
    }),
  },
  {
    name: 'takes ids for the whole event',
    sources: tokens,
    breaks: 'Its table demands that an id is new, whatever came with it, and says 500 when it is not.',
    claimedBy: ['A28-again', 'I5-same-id'],
    start: broken({
      store(event, journal) {
        if (journal.has(event)) throw new Error('duplicate key value violates unique constraint');
        journal.append(event);
      },
    }),
  },
  {
    name: 'acts before it verifies',
    sources: all,
    breaks: 'The work is queued while the signature is being checked, and stays so when it fails.',
    claimedBy: ['I10-refused-no-effect'],
    start: (credentials) => {
      const queued: Event[] = [];
      return broken({
        prove(delivery, parts) {
          const text = delivery.body.toString('latin1') + delivery.query;
          const payload = /ey[\w-]+\.([\w-]+)/.exec(text)?.[1];
          queued.push(
            read(payload === undefined ? delivery.body : Buffer.from(payload, 'base64url'), delivery),
          );
          return proof.prove(delivery, parts);
        },
        store(event, journal) {
          for (const one of [...queued.splice(0), event]) store(one, journal);
        },
      })(credentials);
    },
  },
  {
    name: 'says yes and drops it',
    sources: all,
    breaks: 'Answers 200 and has no queue behind it.',
    claimedBy: ['F11-kept'],
    start: broken({ store: () => undefined }),
  },
  {
    name: 'does things in any order',
    sources: all,
    breaks: 'Each event in a task of its own: later ones overtake earlier ones about the same thing.',
    claimedBy: ['I7-order'],
    start: (credentials) => {
      const overtaken: Event[] = [];
      return broken({
        ...knowing(() => ({ revision: undefined })),
        store(event, journal) {
          if (overtaken.length === 0) {
            overtaken.push(event);
            setTimeout(() => {
              for (const slow of overtaken.splice(0)) store(slow, journal);
            }, OVERTAKEN_MS).unref();
            return;
          }
          for (const one of [event, ...overtaken.splice(0)]) store(one, journal);
        },
      })(credentials);
    },
  },
  {
    name: 'lets old states follow new ones',
    sources: ['risr'],
    breaks: 'Whatever comes last counts, were it three revisions older.',
    claimedBy: ['I7-older-state'],
    outcome: 'warned',
    start: broken(knowing(() => ({ revision: undefined }))),
  },
];
