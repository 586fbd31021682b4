import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { TapeRecorder } from '../tape/recorder.ts';
import type { Taped } from '../tape/tape.ts';
import type { BodyBudget } from './body-budget.ts';
import { FREE_BYTES, readRest } from './read-body.ts';

/** What the tape is told of deliveries. */
export interface Taping {
  /** To be called before the reply: what of the body has not been read is collected while it still comes. */
  refused(request: IncomingMessage, response: ServerResponse, refused: Refused): void;
  /** What the tape keeps of genuine ones, which is nothing where it is for refused ones only. */
  received?(request: IncomingMessage, genuine: Genuine): void;
}

type Outcome = Pick<Taped, 'request' | 'outcome' | 'from' | 'why'>;

export interface Refused extends Outcome {
  /** Open or closed; `undefined`: none has its path. */
  readonly endpoint: Endpoint | undefined;
  /** Where it has been read to its end. */
  readonly body: Buffer | undefined;
}

export interface Genuine extends Outcome {
  readonly endpoint: string;
  readonly seq: number;
  readonly body: Buffer;
}

export function createTaping(recorder: TapeRecorder, bodies: BodyBudget): Taping {
  function record(request: IncomingMessage, rest: Omit<Taped, 'at' | keyof ReturnType<typeof cameIn>>): void {
    recorder.record({ at: Date.now(), ...cameIn(request), ...rest });
  }

  return {
    refused(request, response, { endpoint, body, ...rest }) {
      const outcome = { ...rest, endpoint: endpoint?.definition.path, seq: undefined };
      if (!recorder.wants(outcome)) return;
      if (body !== undefined) {
        record(request, { ...outcome, body, whole: true });
        return;
      }
      const most = outcome.outcome === 'body_too_large' ? undefined : endpoint?.limits.maxBodyBytes;
      void readRest(request, response, most ?? FREE_BYTES, bodies).then((read) => {
        record(request, { ...outcome, ...read });
      });
    },
    ...(recorder.all && {
      received(request, genuine) {
        if (recorder.wants(genuine)) record(request, { ...genuine, whole: true });
      },
    }),
  };
}

function cameIn({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage) {
  return { method, target: url, httpVersion, headers: rawHeaders };
}
