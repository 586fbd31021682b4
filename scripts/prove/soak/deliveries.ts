import { postForm, postJson, postJws } from '../bench/requests.ts';

/**
 * Deliveries are numbered, and the same number gives the same bytes: none of them needs to be kept. Each number is one
 * event, and stands in its payload, where child-handlers.ts finds it.
 */
export interface Deliveries {
  request(number: number): Buffer;
  /** Whether the sender's events have ids, so that a second delivery is known for one. */
  hasId(number: number): boolean;
}

/** Three of four events are of senders with ids; one comes from PhenixID, whose repeats are events of their own. */
export const ofAllSources: Deliveries = {
  request(number) {
    if (number % 4 === 3) return phenixid(number);
    return number % 4 === 0 ? hotdocs(number) : risr(number);
  },
  hasId: (number) => number % 4 !== 3,
};

/** For days on which a sender must repeat itself. */
export const withIds: Deliveries = {
  request: (number) => (number % 2 === 0 ? hotdocs(number) : risr(number)),
  hasId: () => true,
};

/** Numbered at its end, in the form of a UUID. */
function id(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

function phenixid(number: number): Buffer {
  return postJson(`{"eventType":"OrderSigned","taskId":"task-${number}"}`);
}

function hotdocs(number: number): Buffer {
  const payload = {
    eventId: id(number),
    eventType: 'NewWorkItemVersionComplete',
    createdDate: '2024-05-14T09:41:07.2038114Z',
    data: {
      workItemId: id(0),
      workItemVersionId: id(number),
      workItemName: `Lease ${number}`,
      documents: [],
    },
  };
  return postForm(JSON.stringify(payload));
}

/** Profiles that change again and again: their events wait for each other. */
const PROFILES = 5_000;

function risr(number: number): Buffer {
  const payload = {
    webhook_request_id: id(number),
    id: `profile_org_demo_${number % PROFILES}`,
    rev: `${number}-0f3a`,
    email: 'asa.lind@example.org',
    firstName: 'Asa',
    lastName: 'Lind',
    roles: ['role-trainee'],
  };
  return postJws(JSON.stringify(payload));
}
