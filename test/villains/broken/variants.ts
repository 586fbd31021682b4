import * as http from '../http.ts';
import { membersIn, Refusal, type Delivery, type Members, type Parts } from '../parts.ts';
import * as proof from '../proof.ts';
import { right } from '../right.ts';
import { store } from '../journal.ts';
import { all, broken, tokens, type Villain } from '../villain.ts';

/** Refuses genuine content that does not please it, once it is proven. */
function demanding(pleases: (members: Members, delivery: Delivery) => boolean): Partial<Parts> {
  return {
    read(content, delivery) {
      if (!pleases(membersIn(content.toString()), delivery)) throw new Refusal(422);
      return right.read(content, delivery);
    },
  };
}

/** What goes wrong when a genuine sender does it in another way than in the first test. */
export const variantVillains: readonly Villain[] = [
  {
    name: 'reads bodies that say they are JSON',
    sources: ['phenixid'],
    breaks:
      'express.json() passes over any other Content-Type, and over none: the body is empty, and refused.',
    claimedBy: ['J9-variants'],
    start: broken({
      prove(delivery, parts) {
        if (!(delivery.headers['content-type'] ?? '').startsWith('application/json')) throw new Refusal(415);
        return proof.prove(delivery, parts);
      },
    }),
  },
  {
    name: 'knows a task by its old name',
    sources: ['phenixid'],
    breaks: 'Reads orderId, which the manual calls deprecated: after the next release nothing is accepted.',
    claimedBy: ['J9-variants'],
    start: broken(demanding(({ orderId }) => orderId !== undefined)),
  },
  {
    name: 'knows a task by its new name',
    sources: ['phenixid'],
    breaks: 'Reads taskId: installations that write orderId alone are refused.',
    claimedBy: ['J9-variants'],
    start: broken(demanding(({ taskId }) => taskId !== undefined)),
  },
  {
    name: 'has columns for UUIDs',
    sources: all,
    breaks: 'A text that is no UUID does not fit into the type of the column, and is refused.',
    claimedBy: ['J9-variants'],
    start: broken(
      demanding(({ eventId, webhook_request_id, taskId, orderId, workItemId }) =>
        /^[0-9a-f-]{36}$/i.test(String(eventId ?? webhook_request_id ?? taskId ?? orderId ?? workItemId)),
      ),
    ),
  },
  {
    name: 'takes POST and nothing else',
    sources: ['hotdocs'],
    breaks: 'app.post() for every path, where one event is a GET, and another may be.',
    claimedBy: ['J9-variants'],
    start: broken({
      route(request, credentials) {
        if (request.method !== 'POST') throw new Refusal(405, { Allow: 'POST' });
        return http.route(request, credentials);
      },
    }),
  },
  {
    name: 'reads content as Latin-1',
    sources: ['risr'],
    breaks: 'Letters that came as they are look like others, and no longer fit what it expects of a name.',
    claimedBy: ['J9-variants'],
    start: broken({
      read(content, delivery) {
        if (/Ã|Â/.test(content.toString('latin1'))) throw new Refusal(400);
        return right.read(content, delivery);
      },
    }),
  },
  {
    name: 'takes seconds for milliseconds',
    sources: ['hotdocs'],
    breaks: 'new Date(exp) is in January 1970, so whatever says when it ends has ended.',
    claimedBy: ['J9-variants'],
    start: broken(demanding(({ exp }) => typeof exp !== 'number' || exp > Date.now())),
  },
  {
    name: 'has a schema that forbids further members',
    sources: all,
    breaks: 'additionalProperties: false. The next release of the sender is refused as a whole.',
    claimedBy: ['J9-variants'],
    start: broken(demanding((members) => !JSON.stringify(members).includes('invented'))),
  },
  {
    name: 'drops what lacks a member that it does not need',
    sources: tokens,
    breaks: 'Reads createdBy.loginName or state.name for its log, throws, catches, and says 200.',
    claimedBy: ['J9-variants-kept'],
    start: (credentials) => {
      let lacks = false;
      return broken({
        read(content, delivery) {
          lacks = !/workItemName|orderId|bookingOption|sso|headers|email/.test(content.toString());
          return right.read(content, delivery);
        },
        store(event, journal) {
          if (!lacks) store(event, journal);
        },
      })(credentials);
    },
  },
  {
    name: 'has the only right clock',
    sources: ['hotdocs'],
    breaks: 'Compares exp and nbf to the second with a clock that no other machine has.',
    claimedBy: ['A19-tolerance'],
    start: broken({
      checkClaims(content, delivery) {
        const { exp, nbf } = membersIn(content.toString());
        const nowS = Date.now() / 1_000;
        if (typeof exp === 'number' && exp <= nowS) throw new Refusal(401);
        if (typeof nbf === 'number' && nbf > nowS) throw new Refusal(401);
        proof.checkClaims(content, delivery);
      },
    }),
  },
  {
    name: 'forgives clocks a quarter of an hour',
    sources: ['hotdocs'],
    breaks:
      'Somebody had a clock that was ten minutes slow: what is recorded can be sent again all that time.',
    claimedBy: ['A19-expired'],
    start: broken({
      checkClaims(content) {
        const { exp, nbf } = membersIn(content.toString());
        const nowS = Date.now() / 1_000;
        if (typeof exp === 'number' && exp + 900 <= nowS) throw new Refusal(401);
        if (typeof nbf === 'number' && nbf - 900 > nowS) throw new Refusal(401);
      },
    }),
  },
];
