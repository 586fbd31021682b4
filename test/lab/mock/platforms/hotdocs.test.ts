import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Switches } from '../../../../src/kit/source.ts';
import { makeCertificates, requireOpenssl } from '../../../support/certificates.ts';
import {
  claimsOf,
  CREDENTIALS,
  GROUP,
  PASSWORD,
  receiverOf,
  SECRET,
  setUp,
  TEMPLATE,
  type Arrival,
  type CallOptions,
  type Reply,
  type Stage,
} from './hotdocs-stage.ts';
import { listening, newFolder } from '../../../support/fixtures.ts';

const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const PDF_BYTES = Buffer.from('%PDF-1.7 stamped');

const json = (value: unknown): Reply => ({ body: JSON.stringify(value) });

/** A version in post-processing, its event answered. */
async function inProcess(
  switches: Switches = {},
): Promise<Stage & { readonly path: string; readonly id: string }> {
  const stage = await setUp(undefined, switches);
  stage.add({ eventType: 'PostProcessingEvent' });
  const { id } = stage.platform.createWorkItem();
  const version = await stage.platform.finishAssembly(id);
  expect(version.status).toBe('PostProcessing');
  return { ...stage, id, path: `WorkItems/${id}/Versions/${version.id}` };
}

const upload = (type = 'application/pdf', body: Buffer = PDF_BYTES): CallOptions => ({
  headers: { 'Content-Type': type },
  body,
});

describe('login', () => {
  it('answers with a token as plain text that the API accepts, with or without Bearer', async () => {
    const { logIn, call } = await setUp();
    const { status, headers, text } = await logIn(CREDENTIALS);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/plain/);
    for (const authorization of [`Bearer ${text}`, text]) {
      expect((await call('GET', 'WorkItems', { headers: { Authorization: authorization } })).status).toBe(
        200,
      );
    }
  });

  it.each([
    [
      'camelCase',
      JSON.stringify({ clientName: 'kit', principalName: 'service', principalPassword: PASSWORD }),
    ],
    ['single quotes', `{'ClientName':'kit','PrincipalName':'service','PrincipalPassword':'${PASSWORD}'}`],
    ['a trailing comma', `${JSON.stringify(CREDENTIALS).slice(0, -1)},\n}`],
  ])('reads %s, as published samples have it', async (_, body) => {
    const { logIn } = await setUp();
    expect((await logIn(body)).status).toBe(200);
  });

  it.each([
    ['a wrong password', { ...CREDENTIALS, PrincipalPassword: 'wrong' }],
    ['an unknown client', { ...CREDENTIALS, ClientName: 'nobody' }],
    ['an inactive client', { ...CREDENTIALS, ClientName: 'inactive' }],
    ['an inactive principal', { ...CREDENTIALS, ClientName: 'without principal' }],
    ['a client of another flow', { ...CREDENTIALS, ClientName: 'implicit' }],
  ])('refuses %s with 401', async (_, body) => {
    const { logIn } = await setUp();
    const { status, headers } = await logIn(body);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  it('refuses what it cannot read with 400, another type with 415, another method with 405', async () => {
    const { logIn, call, origin } = await setUp();
    expect((await logIn('ClientName')).status).toBe(400);
    expect((await logIn({ ClientName: 'kit' })).status).toBe(400);
    expect((await logIn(JSON.stringify(CREDENTIALS), 'text/plain')).status).toBe(415);
    const { status, headers } = await call('GET', `${origin}/auth/authorize/serviceprincipallogin`);
    expect([status, headers.get('allow')]).toEqual([405, 'POST']);
  });

  it.each([
    ['quoted', /^"[\w-]+"$/],
    ['bearer', /^Bearer [\w-]+$/],
  ])('writes the token %s when switched to', async (loginReply, form) => {
    const { logIn } = await setUp(undefined, { loginReply });
    expect((await logIn(CREDENTIALS)).text).toMatch(form);
  });

  it('refuses no token, a wrong one and an expired one with 401', async () => {
    const { call, clock, platform } = await setUp();
    const status = async (headers = {}) => (await call('GET', 'WorkItems', { headers })).status;
    expect(await status()).toBe(200);
    expect(await status({ Authorization: '' })).toBe(401);
    expect(await status({ Authorization: 'Bearer wrong' })).toBe(401);
    clock.ms += 60_000;
    expect(await status()).toBe(401);
    clock.ms -= 1;
    expect(await status()).toBe(200);
    platform.expireTokens();
    expect(await status()).toBe(401);
  });

  it('lets a client of scope Query read, and refuses it every change with 403', async () => {
    const { logIn, call, path } = await inProcess();
    const { text } = await logIn({ ...CREDENTIALS, ClientName: 'reader' });
    const headers = { Authorization: `Bearer ${text}` };
    expect((await call('GET', `${path}/Status`, { headers })).status).toBe(200);
    expect((await call('PUT', `${path}/PostProcessingStatus`, { headers })).status).toBe(403);
  });
});

describe('webhook configuration', () => {
  const fields = {
    name: 'Done',
    url: 'http://receiver.example/done',
    eventType: 'NewWorkItemVersionComplete',
  };

  it('has every field with its default, and shows the secret once', async () => {
    const { admin } = await setUp();
    const created = await admin('POST', 'webhooks', fields);
    const { webhook, hmacSecret } = created.json as { webhook: { id: string }; hmacSecret: string };
    expect([created.status, Buffer.from(hmacSecret, 'base64').length]).toEqual([201, 32]);
    expect(webhook).toEqual({
      ...fields,
      id: webhook.id,
      authenticationMethod: 'HMAC',
      payloadFormat: 'standard',
      requestVerb: 'POST',
      active: true,
      untrustedCertificates: 'Block',
      workGroups: [],
      templates: [],
    });
    expect((await admin('GET', `webhooks/${webhook.id}`)).json).toEqual(webhook);
    expect((await admin('GET', 'webhooks')).json).toEqual([webhook]);
    expect((await admin('DELETE', `webhooks/${webhook.id}`)).status).toBe(204);
    expect((await admin('GET', `webhooks/${webhook.id}`)).status).toBe(404);
  });

  it.each([
    ['no name', { name: '' }],
    ['a relative URL', { url: '/done' }],
    ['a URL that is not HTTP', { url: 'ftp://receiver.example' }],
    ['an unknown event type', { eventType: 'Other' }],
    ['a custom event without its name', { eventType: 'CustomInterviewEvent' }],
    ['token authentication without a token', { authenticationMethod: 'AccessToken' }],
    ['a secret of its own choice', { hmacSecret: SECRET }],
  ])('refuses %s with 400', async (_, wrong) => {
    const { admin } = await setUp();
    expect((await admin('POST', 'webhooks', { ...fields, ...wrong })).status).toBe(400);
  });

  it('takes one webhook for PostProcessingEvent and refuses a second with 409, edited or new', async () => {
    const { admin, add } = await setUp();
    const id = add({ eventType: 'PostProcessingEvent' });
    const other = add({ eventType: 'NewWorkItemVersionComplete' });
    const second = { ...fields, eventType: 'PostProcessingEvent' };
    expect((await admin('POST', 'webhooks', second)).status).toBe(409);
    expect((await admin('PUT', `webhooks/${other}`, second)).status).toBe(409);
    expect((await admin('PUT', `webhooks/${id}`, second)).status).toBe(200);
  });

  it('signs with a regenerated secret at once, and no more with the old one', async () => {
    const { admin, add, platform, arrivals } = await setUp();
    const id = add({ eventType: 'NewWorkItemVersionComplete' });
    const item = platform.createWorkItem();
    await platform.finishAssembly(item.id);
    const { json: made } = await admin('POST', `webhooks/${id}/secret`);
    await platform.finishAssembly(item.id);
    const [before, after] = arrivals;
    if (!before || !after) throw new Error('two events were expected');
    expect(claimsOf(before)).toMatchObject({ eventType: 'NewWorkItemVersionComplete' });
    expect(() => claimsOf(after)).toThrow('not signed');
    expect(claimsOf(after, (made as { hmacSecret: string }).hmacSecret)).toBeDefined();
  });

  it('makes a secret on the way from token to HMAC, keeps it on an edit, and has none for a token', async () => {
    const { admin } = await setUp();
    const byToken = { ...fields, authenticationMethod: 'AccessToken', accessToken: 'exampletoken' };
    const { json: created } = await admin('POST', 'webhooks', byToken);
    const { webhook } = created as { webhook: { id: string } };
    expect(created).toEqual({ webhook: expect.not.objectContaining({ accessToken: 'exampletoken' }) });
    expect((await admin('POST', `webhooks/${webhook.id}/secret`)).status).toBe(409);
    expect((await admin('PUT', `webhooks/${webhook.id}`, fields)).json).toHaveProperty('hmacSecret');
    expect((await admin('PUT', `webhooks/${webhook.id}`, fields)).json).not.toHaveProperty('hmacSecret');
  });

  it('sends an access token bare in the Authorization header, and the event as JSON', async () => {
    const { add, platform, arrivals } = await setUp();
    const eventType = 'NewWorkItemVersionComplete';
    add({ eventType, authenticationMethod: 'AccessToken', accessToken: 'exampletoken' });
    const { id } = platform.createWorkItem();
    await platform.finishAssembly(id);
    expect(arrivals).toMatchObject([{ method: 'POST', authorization: 'exampletoken' }]);
    expect(JSON.parse(arrivals[0]?.body ?? '')).toMatchObject({ eventType, data: { workItemId: id } });
  });

  it('sends nothing through an inactive webhook', async () => {
    const { add, platform, arrivals } = await setUp();
    add({ eventType: 'NewWorkItemVersionComplete', active: false });
    add({ eventType: 'PostProcessingEvent', active: false });
    expect((await platform.finishAssembly(platform.createWorkItem().id)).status).toBe('Completed');
    expect(arrivals).toEqual([]);
  });

  it.each([
    ['its work group', { workGroups: [GROUP], templates: [] }, 1],
    ['its template, in capitals', { workGroups: [], templates: [TEMPLATE.toUpperCase()] }, 1],
    ['another work group', { workGroups: [TEMPLATE], templates: [] }, 0],
    ['nothing', { workGroups: [], templates: [] }, 0],
  ])('with %s selected, an opened interview is told of as often as it should', async (_, selected, times) => {
    const { add, platform, arrivals } = await setUp();
    add({ eventType: 'LoadInterviewEvent', ...selected });
    await platform.openInterview(platform.createWorkItem().id);
    expect(arrivals).toHaveLength(times);
  });

  it('asks for post-processing for selected templates only', async () => {
    const { add, platform } = await setUp();
    add({ eventType: 'PostProcessingEvent', templates: [GROUP] });
    expect((await platform.finishAssembly(platform.createWorkItem().id)).status).toBe('Completed');
  });

  const itWithOpenssl = requireOpenssl('Block and Accept untrusted certificates') ? it : it.skip;

  itWithOpenssl(
    'blocks a receiver with an untrusted certificate, or accepts it when told to',
    async () => {
      const { platform, add } = await setUp();
      const certificates = await makeCertificates();
      const arrivals: Arrival[] = [];
      const { cert, key } = certificates.server;
      const port = await listening(
        createSecureServer(
          { cert, key },
          receiverOf(arrivals, () => undefined),
        ),
      );
      await certificates.remove();
      const url = `https://127.0.0.1:${port}/hotdocs/NewWorkItemVersionComplete`;
      add({ eventType: 'NewWorkItemVersionComplete', name: 'blocks', url });
      add({ eventType: 'NewWorkItemVersionComplete', name: 'accepts', url, untrustedCertificates: 'Accept' });
      await platform.finishAssembly(platform.createWorkItem().id);
      const said = platform.delivered.map(({ to, fired }) => [to, fired.verdict.ok]);
      expect(said).toEqual(
        expect.arrayContaining([
          ['blocks', false],
          ['accepts', true],
        ]),
      );
      expect(arrivals).toHaveLength(1);
    },
    30_000,
  );
});

describe('interviews', () => {
  it('overlays an opened interview with what is answered: named values change, null clears, others stay', async () => {
    const { add, platform, arrivals } = await setUp(() => json({ Tenant: 'Jonas', Pets: null }));
    add({ eventType: 'InterviewLoadEvent' });
    const { id, user } = platform.createWorkItem({ answers: { Tenant: 'Lea', Pets: true, Rent: 900 } });
    const version = await platform.openInterview(id);
    expect(version.answers).toEqual({ Tenant: 'Jonas', Pets: null, Rent: 900 });
    const [arrival] = arrivals;
    expect(arrival).toMatchObject({ method: 'GET', path: '/hotdocs/InterviewLoadEvent' });
    expect(claimsOf(arrival)).toMatchObject({
      eventType: 'InterviewLoadEvent',
      createdDate: '2026-01-02T03:04:05.0060000Z',
      createdBy: { id: user.id, loginName: user.loginName, accountType: 'UserAccount' },
      data: {
        user: { id: user.id, name: user.name, email: user.loginName },
        workItemId: id,
        workGroupId: GROUP,
      },
    });
  });

  it('asks the webhook of that very event name, by its verb, and not the others', async () => {
    const { add, platform, arrivals } = await setUp(() =>
      json({ answers: [{ name: 'A', type: 'Number', value: 2 }] }),
    );
    const eventType = 'CustomInterviewEvent';
    add({ eventType, interviewEventName: 'LookupTenant' });
    add({ eventType, interviewEventName: 'lookuptenant' });
    add({ eventType, interviewEventName: 'Other', requestVerb: 'GET' });
    const { id } = platform.createWorkItem();
    expect((await platform.clickInterviewEvent(id, 'LookupTenant')).answers).toEqual({ A: 2 });
    await platform.clickInterviewEvent(id, 'Other');
    await platform.clickInterviewEvent(id, 'Unheard');
    expect(arrivals.map(({ method }) => method)).toEqual(['POST', 'GET']);
    expect(claimsOf(arrivals[0])).toMatchObject({
      data: {
        eventName: 'LookupTenant',
        workItemId: id,
        workItemVersionId: platform.workItem(id).versions[0]?.id,
      },
    });
  });

  it('sends the answers so far when switched to', async () => {
    const { add, platform, arrivals } = await setUp(() => json({}), { includeAnswers: 'true' });
    add({ eventType: 'CustomInterviewEvent', interviewEventName: 'Look' });
    const { id } = platform.createWorkItem({ answers: { Rent: 900 } });
    await platform.clickInterviewEvent(id, 'Look');
    expect(claimsOf(arrivals[0])).toMatchObject({ data: { answers: { Rent: 900 } } });
  });

  it.each([
    ['an error', { status: 500 }, {}, /status 500/],
    ['a redirect', { status: 302 }, {}, /redirects/],
    ['something else than JSON', { type: 'text/html', body: '<p>' }, {}, /application\/json/],
    [
      'more than ExternalAnswersMaxBytes',
      json({ A: 'long' }),
      { externalAnswersMaxBytes: '10' },
      /MaxBytes is 10/,
    ],
    ['another dialect', json({ A: { type: 'Text', value: 'a' } }), { answerDialect: 'B' }, /Dialect B/],
  ])(
    'does not use answers that come with %s, and tells the user if told to',
    async (_, reply, switches, notice) => {
      const { add, platform } = await setUp(() => reply, { ...switches, onError: 'show-error' });
      add({ eventType: 'InterviewLoadEvent' });
      const { id } = platform.createWorkItem({ answers: { Rent: 900 } });
      const version = await platform.openInterview(id);
      expect(version).toMatchObject({ answers: { Rent: 900 }, status: 'InProgress' });
      expect(version.notice).toMatch(notice);
      platform.choose({ onError: 'continue' });
      expect((await platform.openInterview(platform.createWorkItem().id)).notice).toBeUndefined();
    },
  );

  it('does not wait longer for answers than its timeout', async () => {
    const { add, platform } = await setUp(() => new Promise(() => undefined), { timeoutMs: '80' });
    add({ eventType: 'InterviewLoadEvent' });
    await platform.openInterview(platform.createWorkItem().id);
    expect(platform.delivered[0]?.fired.verdict).toMatchObject({
      ok: false,
      says: expect.stringMatching(/within 0.1 s/),
    });
  });

  it('signs a click on an action link, hands out the page, and takes back answers', async () => {
    const page = { type: 'text/html', body: '<p>done</p>' };
    const { platform, arrivals } = await setUp(() => page);
    const { id, versions, user } = platform.createWorkItem();
    const { reply, verdict } = await platform.clickActionLink(id, 'Sign');
    expect([verdict.ok, reply?.body.toString()]).toEqual([true, page.body]);
    expect(claimsOf(arrivals[0])).toMatchObject({
      workItemId: id,
      workItemVersionId: versions[0]?.id,
      userId: user.id,
      loginName: user.loginName,
      actionLinkName: 'Sign',
    });
    expect(platform.handBack(id, { Rent: 950 }).answers).toEqual({ Rent: 950 });
  });

  it('follows no action link that is unknown, inactive or for other work groups', async () => {
    const { platform, arrivals } = await setUp();
    const { id } = platform.createWorkItem();
    await expect(platform.clickActionLink(id, 'Sing')).rejects.toThrow('Did you mean Sign?');
    await expect(platform.clickActionLink(id, 'Off')).rejects.toThrow('not active');
    await expect(platform.clickActionLink(id, 'Theirs')).rejects.toThrow('other work groups');
    expect(arrivals).toEqual([]);
  });
});

describe('assembly', () => {
  it('completes without post-processing, and names every document with its published address', async () => {
    const { add, platform, arrivals, call, origin } = await setUp();
    add({ eventType: 'NewWorkItemVersionComplete' });
    const { id, name } = platform.createWorkItem({ answers: { Rent: 900 } });
    const version = await platform.finishAssembly(id);
    expect(version.status).toBe('Completed');
    const documents = version.documents.map((document) => ({
      id: document.id,
      name: document.name,
      url: `${origin}/HdaApi/rest/v1.1/workitems/${id}/documents/${document.id}/content`,
    }));
    const { data } = claimsOf(arrivals[0]);
    expect(data).toEqual({ workItemId: id, workItemVersionId: version.id, workItemName: name, documents });
    const [docx, pdf] = await Promise.all(documents.map(({ url }) => call('GET', url)));
    expect(docx?.headers.get('content-type')).toBe(DOCX);
    expect(docx?.headers.get('content-disposition')).toContain('filename="Lease Agreement.docx"');
    expect(docx?.bytes).toEqual(version.documents[0]?.body);
    expect(pdf?.text).toContain('(Rent: 900) Tj');
  });

  it('gives documents with the version in the address when switched to, and names only in the legacy format', async () => {
    const { add, platform, arrivals } = await setUp(undefined, { docUrl: 'v2.0-versioned' });
    add({ eventType: 'NewWorkItemVersionComplete', payloadFormat: 'legacy' });
    const { id } = platform.createWorkItem();
    const { id: version } = await platform.finishAssembly(id);
    const { data } = claimsOf(arrivals[0]);
    expect(data.documents[0]?.url).toContain(`/v2.0/WorkItems/${id}/Versions/${version}/Documents/`);
  });

  it('holds the documents back until post-processing is set to Complete, then tells of the changed ones', async () => {
    const { platform, add, call, arrivals, admin, id, path } = await inProcess();
    add({ eventType: 'NewWorkItemVersionComplete' });
    const { data } = claimsOf(arrivals[0]);
    const [lease] = data.documents;
    if (!lease) throw new Error('a document was expected');
    expect(lease).toMatchObject({ fileName: 'Lease Agreement.docx', mimeType: DOCX });
    expect((await call('GET', lease.url)).bytes).toEqual(
      platform.workItem(id).versions[0]?.documents[0]?.body,
    );
    expect((await call('GET', `WorkItems/${id}/Documents`)).json).toEqual([]);
    expect((await admin('GET', `workitems/${id}`)).json).toMatchObject({ versions: [{ documents: [] }] });

    const put = await call('PUT', `${path}/Documents/${lease.id}/Content?filename=Lease.pdf`, upload());
    expect([put.status, put.text]).toEqual([200, '']);
    expect((await call('GET', `${path}/Status`)).json).toEqual({ status: 'PostProcessing' });
    const body = JSON.stringify({ status: 'Complete' });
    expect((await call('PUT', `${path}/PostProcessingStatus`, { body })).status).toBe(200);
    await platform.settled();

    expect((await call('GET', `${path}/Status`)).json).toEqual({ status: 'Completed' });
    expect(claimsOf(arrivals[1])).toMatchObject({ eventType: 'NewWorkItemVersionComplete' });
    const after = await call('GET', `workitems/${id}/documents/${lease.id.toUpperCase()}/content`);
    expect([after.headers.get('content-type'), after.text]).toEqual([
      'application/pdf',
      PDF_BYTES.toString(),
    ]);
    const seen = await admin('GET', `workitems/${id}/versions/active/documents/${lease.id}`);
    expect(seen.bytes).toEqual(PDF_BYTES);
  });

  it('lets no one at the documents before the event was answered with success', async () => {
    const seen: number[] = [];
    const stage: Stage = await setUp(async (arrival) => {
      const { data } = claimsOf(arrival);
      seen.push((await stage.call('GET', data.documents[0]?.url ?? '')).status);
      return undefined;
    });
    stage.add({ eventType: 'PostProcessingEvent' });
    await stage.platform.finishAssembly(stage.platform.createWorkItem().id);
    expect(seen).toEqual([409]);
  });

  it.each([
    ['continue', 'PostProcessing', false],
    ['show-error', 'PostProcessing', true],
    ['mark-failed', 'PostProcessingFailed', true],
  ])('with %s, a version whose event was refused ends as %s', async (onError, status, told) => {
    const { add, platform, call } = await setUp(() => ({ status: 503 }), { onError });
    add({ eventType: 'PostProcessingEvent' });
    const { id } = platform.createWorkItem();
    const version = await platform.finishAssembly(id);
    expect([version.status, version.notice !== undefined]).toEqual([status, told]);
    const path = `WorkItems/${id}/Versions/${version.id}/PostProcessingStatus`;
    expect((await call('PUT', path, { body: '"Complete"' })).status).toBe(409);
  });

  it('sends a notification again when switched to: the same event', async () => {
    const switches = { retries: '2', retryDelayMs: '1' };
    const { add, platform, arrivals } = await setUp(
      (_, count) => ({ status: count < 3 ? 503 : 200 }),
      switches,
    );
    add({ eventType: 'PostProcessingEvent' });
    await platform.finishAssembly(platform.createWorkItem().id);
    expect(arrivals).toHaveLength(3);
    expect(new Set(arrivals.map(({ token }) => token)).size).toBe(1);
    expect(platform.delivered).toMatchObject([{ fired: { verdict: { ok: true } } }]);
  });

  it('keeps the last five versions, with the same ids for the same documents', async () => {
    const { platform, call } = await setUp();
    const { id } = platform.createWorkItem();
    const first = await platform.finishAssembly(id);
    for (let count = 0; count < 5; count += 1) await platform.finishAssembly(id);
    await platform.openInterview(id);
    const { json: completed } = await call('GET', `WorkItems/${id}/Versions?filter=completed`);
    expect([platform.workItem(id).versions.length, (completed as unknown[]).length]).toEqual([5, 4]);
    expect(platform.workItem(id).versions[0]?.documents[0]?.id).toBe(first.documents[0]?.id);
    expect((await call('GET', `WorkItems/${id}/Versions/${first.id}/Status`)).status).toBe(404);
  });

  it('writes Word documents that can be unpacked, and PDFs whose objects are where they should be', async () => {
    const { platform } = await setUp();
    const { id } = platform.createWorkItem({ name: 'A & B (Größe) \\ 🙂', answers: { Rent: 900 } });
    const { documents } = await platform.finishAssembly(id);
    const text = documents[1]?.body.toString('latin1') ?? '';
    const offsets = [...text.matchAll(/^(\d{10}) 00000 n/gm)].map(([, offset]) => Number(offset));
    expect(offsets.map((offset) => text.slice(offset, offset + 7))).toEqual(
      [1, 2, 3, 4, 5].map((number) => `${number} 0 obj`),
    );
    expect(text.slice(Number(/startxref\n(\d+)/.exec(text)?.[1])).startsWith('xref')).toBe(true);
    if (spawnSync('unzip', ['-v']).status !== 0) return;
    const directory = newFolder();
    writeFileSync(join(directory, 'lease.docx'), documents[0]?.body ?? '');
    const unpacked = spawnSync('unzip', ['-p', 'lease.docx', 'word/document.xml'], { cwd: directory });
    const tested = spawnSync('unzip', ['-t', 'lease.docx'], { cwd: directory });
    expect(tested.stdout.toString()).toContain('No errors detected');
    expect(unpacked.stdout.toString()).toContain('A &#38; B (Größe) \\ 🙂');
  });
});

describe('uploads', () => {
  it('adds a document under a new id: at the end, or at its place, later ones moving up', async () => {
    const { platform, call, id } = await inProcess();
    const put = (query: string) =>
      call('PUT', `Workitems/${id}/versions/active/documents/${randomUUID()}/content?${query}`, upload());
    await put('filename=end.pdf');
    await put('filename=first.pdf&name=First&assembledorder=0');
    await put('filename=second.pdf&assembledorder=1');
    await put('filename=beyond.pdf&assembledorder=99');
    const { documents = [] } = platform.workItem(id).versions[0] ?? {};
    expect(documents.map(({ name }) => name)).toEqual([
      'First',
      'second',
      'Lease Agreement',
      'Cover Letter',
      'end',
      'beyond',
    ]);
  });

  it('replaces a document in its place and keeps its name, unless told otherwise', async () => {
    const { platform, call, id, path } = await inProcess();
    const [lease] = platform.workItem(id).versions[0]?.documents ?? [];
    const content = `${path}/Documents/${lease?.id ?? ''}/Content`;
    const first = () =>
      platform.workItem(id).versions[0]?.documents.map(({ name, fileName }) => [name, fileName]);
    await call('PUT', `${content}?filename=Lease.pdf`, upload());
    expect(first()).toEqual([
      ['Lease Agreement', 'Lease.pdf'],
      ['Cover Letter', 'Cover Letter.pdf'],
    ]);
    await call(
      'PUT',
      `${content}?filename=Lease.odt&name=Lease&assembledorder=1`,
      upload('application/vnd.oasis.odt'),
    );
    expect(first()).toEqual([
      ['Cover Letter', 'Cover Letter.pdf'],
      ['Lease', 'Lease.odt'],
    ]);
    expect((await call('GET', content)).headers.get('content-type')).toBe('application/vnd.oasis.odt');
  });

  it.each(['200', '201', '204'])('answers an upload with %s', async (putStatus) => {
    const { call, path } = await inProcess({ putStatus });
    const { status } = await call(
      'PUT',
      `${path}/Documents/${randomUUID()}/Content?filename=a.pdf`,
      upload(),
    );
    expect(status).toBe(Number(putStatus));
  });

  it.each([
    ['no file name', '', upload(), 400],
    ['a path as file name', '?filename=..%2Fa.pdf', upload(), 400],
    ['an order that is no number', '?filename=a.pdf&assembledorder=first', upload(), 400],
    ['a negative order', '?filename=a.pdf&assembledorder=-1', upload(), 400],
    ['no document', '?filename=a.odt', upload('application/vnd.oasis.odt', Buffer.alloc(0)), 400],
    ['no type', '?filename=a.pdf', { body: PDF_BYTES }, 415],
    ['a type that says nothing', '?filename=a.pdf', upload('application/octet-stream'), 415],
    ['the type of the format before', '?filename=a.pdf', upload(DOCX), 415],
    ['the name of the format before', '?filename=a.docx', upload(), 415],
    ['a type that the bytes are not', '?filename=a.docx', upload(DOCX), 415],
  ])('refuses %s', async (_, query, options, status) => {
    const { call, path, platform, id } = await inProcess();
    expect((await call('PUT', `${path}/Documents/${randomUUID()}/Content${query}`, options)).status).toBe(
      status,
    );
    expect(platform.workItem(id).versions[0]?.documents).toHaveLength(2);
  });

  it('ignores assemblyorder, and warns of it', async () => {
    const { call, path, platform, id, admin } = await inProcess();
    await call('PUT', `${path}/Documents/${randomUUID()}/Content?filename=a.pdf&assemblyorder=0`, upload());
    expect(platform.workItem(id).versions[0]?.documents.at(-1)?.fileName).toBe('a.pdf');
    expect(platform.warnings).toEqual([expect.stringContaining('assembledorder')]);
    expect((await admin('GET', 'warnings')).json).toEqual(platform.warnings);
  });

  it('refuses an id that is no GUID with 400, unknown ones with 404, a version that is done with 409', async () => {
    const { call, path, id } = await inProcess();
    const status = async (where: string) => (await call('PUT', `${where}?filename=a.pdf`, upload())).status;
    const document = `Documents/${randomUUID()}/Content`;
    expect(await status(`${path}/Documents/one/Content`)).toBe(400);
    expect(await status(`WorkItems/${id}/Versions/${randomUUID()}/${document}`)).toBe(404);
    expect(await status(`WorkItems/${randomUUID()}/Versions/active/${document}`)).toBe(404);
    await call('PUT', `${path}/PostProcessingStatus`, { body: 'Complete' });
    expect(await status(`${path}/${document}`)).toBe(409);
  });

  it('needs the token for downloads, unless switched off', async () => {
    const { call, platform, path, id } = await inProcess();
    const [lease] = platform.workItem(id).versions[0]?.documents ?? [];
    const headers = { Authorization: '' };
    const status = async (what: string) =>
      (await call('GET', `${path}/Documents${what}`, { headers })).status;
    expect(await status(`/${lease?.id ?? ''}/Content`)).toBe(401);
    platform.choose({ docAuth: 'none' });
    expect(await status(`/${lease?.id ?? ''}/Content`)).toBe(200);
    expect(await status('')).toBe(401);
    expect(await status(`/${randomUUID()}/Content`)).toBe(404);
  });
});

describe('the end of post-processing', () => {
  it.each([
    ['PUT', 'PostProcessingStatus', '{"status":"Complete"}', 'json'],
    ['POST', 'PostProcessing', '{"status":"COMPLETED"}', 'json'],
    ['PATCH', 'PostAssemblyProcessingStatus', '"complete"', 'json'],
    ['PUT', 'Status', 'Complete', 'text'],
    ['POST', 'PostProcessing/Complete', '', 'path'],
    ['PUT', 'postprocessingstatus?status=Complete', '', 'query'],
  ])('can be told by %s %s with %s', async (method, form, body, carrier) => {
    const { call, path, platform, id } = await inProcess();
    expect((await call(method, `${path}/${form}`, { body })).status).toBe(200);
    expect(platform.workItem(id).versions[0]?.status).toBe('Completed');
    expect(platform.statusCalls).toMatchObject([{ method, carrier }]);
  });

  it.each(['Failed', 'error'])('can be a failure, told as %s: nobody is told of documents', async (word) => {
    const { call, platform, add, arrivals, id } = await inProcess();
    add({ eventType: 'NewWorkItemVersionComplete' });
    const path = `WorkItems/${id}/Versions/active/PostProcessingStatus`;
    expect((await call('PUT', path, { body: JSON.stringify({ status: word }) })).status).toBe(200);
    await platform.settled();
    expect(platform.workItem(id).versions[0]?.status).toBe('PostProcessingFailed');
    expect(arrivals).toHaveLength(1);
    expect((await call('PUT', path, { body: '"Complete"' })).status).toBe(409);
  });

  it('cannot be a failure when switched off', async () => {
    const { call, path, platform, id } = await inProcess({ allowFailed: 'false' });
    const { status } = await call('PUT', `${path}/PostProcessingStatus`, { body: '"Failed"' });
    expect([status, platform.workItem(id).versions[0]?.status]).toEqual([400, 'PostProcessing']);
  });

  it('takes the same status twice and tells of the documents once', async () => {
    const { call, path, platform, add, arrivals } = await inProcess();
    add({ eventType: 'NewWorkItemVersionComplete' });
    for (let count = 0; count < 2; count += 1) {
      expect((await call('PUT', `${path}/PostProcessingStatus`, { body: '"Complete"' })).status).toBe(200);
    }
    await platform.settled();
    expect(arrivals).toHaveLength(2);
  });

  it('refuses a status it does not know with 400, an unknown version with 404', async () => {
    const { call, path, id } = await inProcess();
    const status = async (where: string, body: string) => (await call('PUT', where, { body })).status;
    expect(await status(`${path}/PostProcessingStatus`, '"Done"')).toBe(400);
    expect(await status(`${path}/PostProcessingStatus`, '')).toBe(400);
    expect(await status(`${path}/PostProcessingStatus`, '{"state":"Complete"}')).toBe(400);
    expect(await status(`WorkItems/${id}/Versions/${randomUUID()}/Status`, '"Complete"')).toBe(404);
    expect(await status(`WorkItems/${randomUUID()}/Versions/active/Status`, '"Complete"')).toBe(404);
  });
});

describe('the rest of the API', () => {
  it('creates a work item under a caller-made id, lists it, and assembles it on CompleteSession', async () => {
    const { call, origin } = await setUp();
    const id = randomUUID();
    const body = JSON.stringify({
      name: 'Mine',
      workGroupId: GROUP,
      description: 'unused',
      assembleImmediately: false,
    });
    expect((await call('PUT', `WorkItems/${id}`, { body })).status).toBe(201);
    expect((await call('PUT', `WorkItems/${id}`, { body })).status).toBe(409);
    expect((await call('PUT', 'WorkItems/mine', { body })).status).toBe(400);
    const shown = { id, name: 'Mine', workGroupId: GROUP, templatePackageId: TEMPLATE, status: 'InProgress' };
    expect((await call('GET', `${origin}/api/rest/v1.1/workgroups/${GROUP}/workitems`)).json).toEqual([
      shown,
    ]);
    expect((await call('GET', `WorkItems/${id}`)).json).toEqual(shown);
    expect((await call('PUT', `WorkItems/${id}/Versions/Active/CompleteSession`)).status).toBe(200);
    expect((await call('PUT', `WorkItems/${id}/Versions/Active/CompleteSession`)).status).toBe(409);
    const { json: documents } = await call('GET', `WorkItems/${id}/Documents`);
    expect(documents).toMatchObject([
      { name: 'Lease Agreement', fileName: 'Lease Agreement.docx', mimeType: DOCX },
      {},
    ]);
    const [{ id: document } = { id: '' }] = documents as { id: string }[];
    expect((await call('GET', `WorkItems/${id}/Documents/${document}`)).json).toMatchObject({ id: document });
    expect((await call('GET', `WorkItems/${id}/Versions/active/Documents`)).json).toEqual(documents);
  });

  it('answers unknown addresses and versions of the API with 404', async () => {
    const { call, origin } = await setUp();
    for (const path of [
      'Nothing',
      `${origin}/HdaApi/rest/v3.0/WorkItems`,
      `${origin}/other`,
      `WorkItems/${randomUUID()}`,
    ]) {
      expect((await call('GET', path)).status).toBe(404);
    }
  });

  it('is played from the command line, too', async () => {
    const { admin, add } = await setUp(({ path }) =>
      path.endsWith('ActionLink') ? { type: 'text/html', body: '<p>' } : json({ A: 'a' }),
    );
    add({ eventType: 'InterviewLoadEvent' });
    add({ eventType: 'CustomInterviewEvent', interviewEventName: 'Look' });
    const { id } = (await admin('POST', 'workitems')).json as { id: string };
    expect((await admin('POST', `workitems/${id}/open`)).json).toMatchObject({ answers: { A: 'a' } });
    expect((await admin('POST', `workitems/${id}/events/Look`)).status).toBe(200);
    expect((await admin('POST', `workitems/${id}/links/Sign`)).json).toMatchObject({ page: '<p>' });
    expect((await admin('POST', `workitems/${id}/links/Sing`)).status).toBe(400);
    expect((await admin('POST', `workitems/${id}/finish`)).json).toMatchObject({ status: 'Completed' });
    expect((await admin('GET', 'workitems')).json).toMatchObject([
      { id, versions: [{ documents: [{ contentType: DOCX }, {}] }] },
    ]);
    expect((await admin('GET', 'deliveries')).json).toHaveLength(3);
    expect((await admin('PUT', 'switches', { putStatus: '204' })).status).toBe(204);
    expect((await admin('PUT', 'switches', { putStatus: '205' })).status).toBe(400);
  });
});
