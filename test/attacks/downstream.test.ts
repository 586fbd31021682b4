import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { startReceiver, type TestReceiver } from '../support/receiver.ts';
import { createTestSender, type TestSender } from '../support/test-sender.ts';

// Group J of the catalogue as far as a genuine event alone can do harm; what it makes us fetch is in test/outgoing and
// test/handlers.

let receiver: TestReceiver;
let sender: TestSender;

beforeAll(async () => {
  receiver = await startReceiver();
  sender = createTestSender(receiver);
});

afterAll(async () => {
  sender.close();
  await receiver.stop();
});

/** The lines of the log, as they are written, since there were so many. */
function linesSince(count: number): string[] {
  return receiver.log.slice(count).map((line) => JSON.stringify(line));
}

it.each([
  ['a line end', 'evil\r\n{"level":"info","outcome":"accepted"}'],
  ['an escape sequence', '\u001b[2J\u001b[31mevil'],
  ['a line separator', 'evil\u2028next'],
  ['a percent-encoded line end', 'evil%0d%0anext'],
  ['100,000 characters', 'e'.repeat(100_000)],
])('J6: writes one short line for an event type with %s', async (_what, eventType) => {
  const before = receiver.log.length;
  const taskId = '5d0a7f1e-3c42-4b8e-9a57-2f6c1b90d413';
  const content = JSON.stringify({ eventType, taskId });
  const reply = await sender.send(await sender.sign(phenixid, 'OrderSigned', content));
  await receiver.app.idle();
  expect([200, 413]).toContain(reply.status);
  const lines = linesSince(before);
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) {
    // eslint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(line).not.toMatch(/[\u0000-\u001f\u2028]/);
    expect(line.length).toBeLessThan(1500);
  }
});

it('J6: writes one short line for an id with line ends', async () => {
  const before = receiver.log.length;
  const content = JSON.stringify({ webhook_request_id: 'a\r\nb', id: 'p', rev: '1-a' });
  await sender.send(await sender.sign(risr, 'profile_updated', content));
  await receiver.app.idle();
  expect(linesSince(before).join('')).not.toContain('a\\r\\nb');
});

it('J7: shows a name from an event as text in the page of an action link', async () => {
  const workItemId = '1c4b7a90-3d52-4c8e-9a55-8f1d2b6e7c33';
  const documents = [
    { id: 'd', name: '=HYPERLINK("http://evil")<img src=x onerror=alert(1)>', url: 'https://x.example/d' },
  ];
  const payload = {
    workItemId,
    workItemVersionId: 'v',
    workItemName: '<script>alert(1)</script>',
    documents,
  };
  await sender.fire(hotdocs, 'NewWorkItemVersionComplete', { payload });
  await receiver.app.idle();
  const reply = await sender.fire(hotdocs, 'ActionLink', { payload: { workItemId } });
  const page = reply.body.toString();
  expect(page).toContain('&#60;script&#62;');
  expect(page).not.toMatch(/<(script|img)/);
  expect(reply.headers['content-security-policy']).toContain("default-src 'none'");
});

it('J8: leaves what an event says of a person out of every log line', async () => {
  const before = receiver.log.length;
  const personal = ['Ada', 'Lovelace', 'ada.lovelace@example.org', 'Coventry'];
  const [firstName, lastName, email, town] = personal;
  const profile = { id: 'profile-ada', rev: '3-a', firstName, lastName, email, userFields: [{ town }] };
  await sender.fire(risr, 'profile_updated', { payload: profile });
  await sender.fire(risr, 'user_logged_in', {
    payload: { user: 'usr-1', sso: { mail: [email], sn: [lastName] } },
  });
  await sender.fire(hotdocs, 'InterviewLoadEvent', {
    payload: { user: { name: `${firstName} ${lastName}`, email } },
  });
  // Also where it does not fit: the reason names members, never values.
  await sender.fire(risr, 'profile_updated', { payload: { ...profile, rev: email, firstName: { town } } });
  await receiver.app.idle();
  const lines = linesSince(before).join('\n');
  expect(lines).toContain('payload_invalid');
  for (const word of personal) expect(lines).not.toContain(word);
});
