import { setTimeout as pause } from 'node:timers/promises';
import { answer } from '../content.ts';
import { json } from '../http.ts';
import { right } from '../right.ts';
import { all, broken, type Villain } from '../villain.ts';

/** What goes wrong with saying yes. */
export const answerVillains: readonly Villain[] = [
  {
    name: 'answers genuine deliveries with a redirect',
    sources: all,
    breaks: 'Post, redirect, get: right for a browser, and not delivered for a sender.',
    claimedBy: ['A1-none', 'B1-missing'],
    outcome: 'inconclusive',
    start: broken({ answer: () => ({ status: 303, headers: { Location: '/thanks' }, body: '' }) }),
  },
  {
    name: 'answers in words',
    sources: ['hotdocs', 'risr'],
    breaks: 'The sender expects JSON and gets OK.',
    claimedBy: ['U14-sender-content'],
    start: broken({ answer: () => ({ status: 200, headers: { 'Content-Type': 'text/plain' }, body: 'OK' }) }),
  },
  {
    name: 'answers more than the sender reads',
    sources: ['hotdocs'],
    breaks: 'All the answers it has, 300 KB of them, where 200 are read.',
    claimedBy: ['U14-sender-content'],
    start: broken({
      answer: (event, delivery) => {
        const waits = event.type.includes('Interview');
        return waits ? json(200, JSON.stringify({ Notes: 'n'.repeat(300_000) })) : answer(event, delivery);
      },
    }),
  },
  {
    name: 'keeps some logins waiting',
    sources: ['risr'],
    breaks: 'Asks a directory before it answers, and now and then a user waits longer than the browser does.',
    claimedBy: ['U2-in-time'],
    patienceMs: 3_000,
    start: (credentials) => {
      let asked = 0;
      return broken({
        answer: async (event, delivery) => {
          asked += 1;
          if (asked === 3) await pause(60_000, undefined, { ref: false });
          return answer(event, delivery);
        },
      })(credentials);
    },
  },
  {
    name: 'writes payloads into its pages',
    sources: ['hotdocs'],
    breaks: 'The page of an action link has names from the event in it, unescaped.',
    claimedBy: ['J7-escaped'],
    start: (credentials) => {
      let last = '';
      return broken({
        read(content, delivery) {
          last = content.toString();
          return right.read(content, delivery);
        },
        answer: (event, delivery) => {
          const usual = answer(event, delivery);
          return delivery.route.type === 'ActionLink'
            ? { ...usual, body: `<!doctype html>${textsIn(last)}` }
            : usual;
        },
      })(credentials);
    },
  },
];

function textsIn(json: string): string {
  const texts: string[] = [];
  JSON.parse(json, (_name, value: unknown) => {
    if (typeof value === 'string') texts.push(value);
    return value;
  });
  return texts.join('<br>');
}
