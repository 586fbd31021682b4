import type { IncomingMessage } from 'node:http';
import { apart } from '../apart.ts';
import * as http from '../http.ts';
import { Refusal, type Parts } from '../parts.ts';
import { all, broken, type Villain } from '../villain.ts';

/** What those that are started apart do differently, by their names. */
export const burdened: ReadonlyMap<string, Partial<Parts>> = new Map<string, Partial<Parts>>([
  [
    'trims headers with a pattern',
    {
      route(request, credentials) {
        for (const value of request.rawHeaders) value.replace(/\s+$/, '');
        return http.route(request, credentials);
      },
    },
  ],
  [
    'trims bodies with a pattern',
    {
      async readBody(request, response, route) {
        const body = await http.readBody(request, response, route);
        body.toString('latin1').replace(/[\s+]+$/, '');
        return body;
      },
    },
  ],
  ['lets requests wait without end', { mostWaiting: Infinity }],
  ['joins what has come with each piece', { readBody: joinEach }],
]);

function joinEach(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let body = Buffer.alloc(0);
    request.on('data', (chunk: Buffer) => {
      body = Buffer.concat([body, chunk]);
    });
    request.on('end', () => resolve(body));
    request.on('error', () => reject(new Refusal(400)));
  });
}

/** For a few large ones, of whomever they come from. */
const BUDGET_BYTES = 1_000_000;

/** What a receiver takes before anything is known of the sender. */
export const burdenVillains: readonly Villain[] = [
  {
    name: 'trims headers with a pattern',
    sources: all,
    breaks: 'Each header goes through /\\s+$/, which takes the square of a run of blanks.',
    claimedBy: ['G11-long-runs'],
    patienceMs: 2_000,
    start: apart('trims headers with a pattern'),
  },
  {
    name: 'trims bodies with a pattern',
    sources: all,
    breaks: 'So does the body, before the proof is looked for in it.',
    claimedBy: ['G12-large-content'],
    patienceMs: 2_000,
    start: apart('trims bodies with a pattern'),
  },
  {
    name: 'lets requests wait without end',
    sources: all,
    breaks: 'Keeps what comes on a connection until its turn has come, however much it is.',
    claimedBy: ['G13-pipeline'],
    patienceMs: 2_000,
    start: apart('lets requests wait without end'),
  },
  {
    name: 'joins what has come with each piece',
    // The others send so little that it does not matter.
    sources: ['hotdocs', 'risr'],
    breaks: 'Copies the whole body for each of its pieces, which are as many as the sender likes.',
    claimedBy: ['G14-tiny-chunks'],
    patienceMs: 2_000,
    start: apart('joins what has come with each piece'),
  },
  {
    name: 'has one budget for all bodies',
    sources: all,
    breaks: 'Counts what is in memory, and refuses everybody when it is much.',
    claimedBy: ['G15-unfinished-bodies'],
    start: (credentials) => {
      let taken = 0;
      return broken({
        // Longer than a genuine delivery can be on its way on a slow machine: what is held must still be held then.
        http: { ...http.http, requestTimeout: 120_000, headersTimeout: 60_000 },
        async readBody(request, response, route) {
          const announced = Number(request.headers['content-length'] ?? 0);
          if (taken > BUDGET_BYTES) throw new Refusal(503);
          taken += announced;
          response.once('close', () => (taken -= announced));
          return http.readBody(request, response, route);
        },
      })(credentials);
    },
  },
  {
    name: 'counts failed proofs by any name',
    sources: all,
    breaks: 'Whatever stands in X-Forwarded-For is the address of a sender.',
    claimedBy: ['G9-forwarded-for'],
    start: (credentials) => {
      const failures = new Map<string, number>();
      return broken({
        refuse(thrown, request) {
          if (!(thrown instanceof Refusal) || thrown.status !== 401) return http.refuse(thrown);
          const name = String(request.headers['x-forwarded-for'] ?? '');
          const count = (failures.get(name) ?? 0) + 1;
          failures.set(name, count);
          return http.refuse(count > 20 ? new Refusal(429, { 'Retry-After': '60' }) : thrown);
        },
      })(credentials);
    },
  },
];
