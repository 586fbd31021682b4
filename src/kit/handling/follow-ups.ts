import type { Entry, NewEntry } from '../inbox/inbox.ts';
import { parse } from '../reading/parse.ts';
import type { FollowUp, Step } from '../step.ts';

/** What a handler asks to be done after it, as it asks. */
export interface FollowUps {
  readonly followUp: FollowUp;
  /** All that was asked for, when the handler has ended. */
  readonly close: () => readonly NewEntry[];
}

/** Collects what the handler of `parent` asks for. */
export function collectFollowUps(parent: Entry): FollowUps {
  const asked: NewEntry[] = [];
  let closed = false;
  return {
    followUp: (step, data, { subject } = {}) => {
      if (closed) {
        throw new Error(
          `The step ${step.name} was asked for after the handler had ended, and will not be done. Is an await missing?`,
        );
      }
      asked.push(newEntry(parent, step, data, subject));
    },
    close: () => {
      closed = true;
      return asked;
    },
  };
}

/** Where a sender's endpoints have a path, which begins with a slash. */
const STEP = '#';

/** Whether an entry was made by a handler, not by a delivery. */
export function isFollowUp({ endpoint }: Entry): boolean {
  return endpoint.startsWith(STEP);
}

/** An entry of our own making: no secret proved it, and it is never a duplicate. */
function newEntry(
  parent: Entry,
  { name, schema }: Step,
  data: unknown,
  subject: string | undefined,
): NewEntry {
  const json = JSON.stringify(data ?? null);
  // As it will be read: what JSON cannot hold is found here, not in the night.
  parse(schema, JSON.parse(json), 'step_data_invalid');
  return {
    source: parent.source,
    endpoint: STEP + name,
    installation: parent.installation,
    type: name,
    eventId: parent.eventId,
    key: undefined,
    subject: subject === undefined ? parent.subject : `${parent.source} ${subject}`,
    secret: 0,
    receivedAt: Date.now(),
    content: Buffer.from(json),
  };
}
