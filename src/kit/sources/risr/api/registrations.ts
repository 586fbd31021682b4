import { z } from 'zod';
import type { Caller } from '../../../outgoing/caller.ts';
import { idText, readReply } from '../../../outgoing/read-reply.ts';
import { urlBelow, withQuery } from '../../../outgoing/template.ts';
import { hasStatus } from '../../../outgoing/tokens.ts';
import { readDocument } from '../content/document.ts';

/** What the API keeps of a webhook; the secret is not told again. */
export interface Registration {
  readonly id: string;
  readonly rev: string;
  readonly topic: string;
  readonly url: string;
}

/** The webhooks of the organisation. Needs an API user with the permission to manage them. */
export interface Registrations {
  list(signal?: AbortSignal): Promise<readonly Registration[]>;
  /** Never made twice by itself: list before trying again. */
  create(
    registration: Pick<Registration, 'topic' | 'url'> & { readonly secret: string },
    signal?: AbortSignal,
  ): Promise<Pick<Registration, 'id' | 'rev'>>;
  /** @throws CallFailed 409 if `rev` is not the current one; one that is gone already is no failure */
  remove(registration: Pick<Registration, 'id' | 'rev'>, signal?: AbortSignal): Promise<void>;
}

const PATH = 'v2/webhooks/registrations';

const identity = z
  .looseObject({})
  .transform(readDocument)
  .pipe(z.object({ id: idText, rev: idText }));
const registrations = z.array(
  z
    .looseObject({})
    .transform(readDocument)
    .pipe(z.object({ id: idText, rev: idText, topic: z.string(), url: z.string() })),
);

export function createRegistrations(caller: Caller, base: URL): Registrations {
  return {
    async list(signal) {
      const reply = await caller.request({ method: 'GET', url: urlBelow(base, PATH), signal });
      return readReply('The list of registrations', registrations, reply);
    },
    async create({ topic, url, secret }, signal) {
      const call = {
        method: 'POST',
        url: urlBelow(base, PATH),
        body: JSON.stringify({ topic, url, secret }),
      };
      return readReply('The registration', identity, await caller.requestOnce({ ...call, signal }));
    },
    async remove({ id, rev }, signal) {
      const url = withQuery(urlBelow(base, `${PATH}/{id}`, { id }), [['rev', rev]]);
      try {
        await caller.request({ method: 'DELETE', url, signal });
      } catch (error) {
        if (!hasStatus(error, 404)) throw error;
      }
    },
  };
}
