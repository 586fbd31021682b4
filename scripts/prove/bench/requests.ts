import { createHmac, randomBytes, randomUUID } from 'node:crypto';

/** The deliveries that are measured: a signed JSON body, a JWT in a form, a JWS as the whole body. */
export type Kind = 'json' | 'form' | 'jws';

/** What every contestant is started with, by the names that the kit reads. Fresh in each run. */
export const secrets = {
  PHENIXID_SECRET: randomBytes(32).toString('hex'),
  HOTDOCS_NEW_WORK_ITEM_VERSION_COMPLETE_SECRET: randomBytes(32).toString('hex'),
  RISR_PROFILE_UPDATED_SECRET: randomBytes(32).toString('hex'),
};

/** Ready-made bytes, no two of them the same event. */
export interface Pool {
  /** Each once; then nothing, or if they may repeat from the first again. */
  next(): Buffer | undefined;
  /** For a contestant that has not seen them. One that tells duplicates from new events must not get any twice. */
  restart(options: { readonly mayRepeat: boolean }): void;
}

/**
 * Signs so many deliveries before the clock runs. Signatures are made here with node:crypto and not by the kit's mock: the
 * kit is what is measured.
 */
export function signPool(kind: Kind, count: number): Pool {
  const requests = Array.from({ length: count }, (_, index) => makers[kind](index));
  let at = 0;
  let repeats = false;
  return {
    next() {
      if (repeats && at === count) at = 0;
      const request = requests[at];
      at += 1;
      return request;
    },
    restart({ mayRepeat }) {
      at = 0;
      repeats = mayRepeat;
    },
  };
}

const makers: Readonly<Record<Kind, (index: number) => Buffer>> = {
  json() {
    const task = randomUUID();
    const body = `{"orderId":"${task}","eventType":"OrderSigned","taskId":"${task}"}`;
    return postJson(body);
  },
  form(index) {
    return postForm(workItemVersion(subject(index)));
  },
  jws(index) {
    return postJws(profile(subject(index)));
  },
};

const subjects: string[] = [];

/**
 * Within a pool every large event is about something else, and the next pool is about the same things again: else the
 * records that the reference handlers keep in memory would grow with every round.
 */
function subject(index: number): string {
  return (subjects[index] ??= randomUUID());
}

const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');

function sign(payload: string, secret: string): string {
  const input = `${HEADER}.${Buffer.from(payload).toString('base64url')}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** To PhenixID's endpoint, signed. */
export function postJson(body: string): Buffer {
  const signature = createHmac('sha256', secrets.PHENIXID_SECRET).update(body).digest('hex');
  return post('/phenixid', body, `Content-Type: application/json\r\nX-Signature: ${signature}\r\n`);
}

/** To an endpoint of HotDocs, as a JWT in a form. */
export function postForm(payload: string): Buffer {
  const token = sign(payload, secrets.HOTDOCS_NEW_WORK_ITEM_VERSION_COMPLETE_SECRET);
  const type = 'Content-Type: application/x-www-form-urlencoded\r\n';
  return post('/hotdocs/NewWorkItemVersionComplete', `token=${token}`, type);
}

/** To an endpoint of risr/advance, as a JWS that is the whole body. */
export function postJws(payload: string): Buffer {
  const token = sign(payload, secrets.RISR_PROFILE_UPDATED_SECRET);
  return post('/risr/profile_updated', token, 'Content-Type: application/jose\r\n');
}

function post(path: string, body: string, headers: string): Buffer {
  const head =
    `POST ${path} HTTP/1.1\r\nHost: receiver.example:3000\r\nUser-Agent: bench/1\r\nAccept: */*\r\n` +
    `${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.from(head + body);
}

/** A version with three documents: a token of about 2 KB. */
function workItemVersion(version: string): string {
  const workItem = randomUUID();
  const documents = ['Lease Agreement', 'Schedule of Condition', 'Deposit Certificate'].map(
    (name, index) => ({
      id: `e2d3c4b5-a697-5886-9abc-12345678900${index}`,
      name,
      url: `https://advance.acme.example/HdaApi/rest/v1.1/workitems/${workItem}/documents/e2d3c4b5-a697-5886-9abc-12345678900${index}/content`,
    }),
  );
  return JSON.stringify({
    eventId: randomUUID(),
    eventType: 'NewWorkItemVersionComplete',
    createdDate: '2024-05-14T09:41:07.2038114Z',
    createdBy: {
      id: '7e1c9f54-0b7d-4c0f-8f4e-3c2f5a9d6e20',
      loginName: 'm.keller@acme.example',
      accountType: 'UserAccount',
    },
    data: {
      workItemId: workItem,
      workItemVersionId: version,
      workItemName: 'Lease 2024-118, 14 Harbour Street, second floor',
      documents,
    },
  });
}

/** A profile with a history: a token of about 2 KB. */
function profile(user: string): string {
  const auditLog = Array.from({ length: 9 }, (_, index) => ({
    by: 'usr-0009',
    at: `2031-02-0${index + 1}T08:15:30.125Z`,
    action: 'field_changed',
    field: 'uf-college-no',
  }));
  return JSON.stringify({
    webhook_request_id: randomUUID(),
    id: `profile_org_demo_${user}`,
    rev: `7-${randomUUID().replaceAll('-', '')}`,
    email: 'asa.lind@example.org',
    firstName: 'Asa',
    lastName: 'Lind',
    roles: ['role-trainee', 'role-assessor'],
    userFields: [
      { _id: 'uf-college-no', value: 'A-20931' },
      { _id: 'uf-cohort', value: '2031 spring' },
    ],
    auditLog,
  });
}
