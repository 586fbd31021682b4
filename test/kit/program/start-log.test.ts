import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { newFolder } from '../../support/fixtures.ts';
import { enough, startProcess } from '../../support/processes.ts';

it('says as JSON lines what it is started with, when it has started, and how it ends, without a value', async () => {
  const folder = newFolder();
  const inFile = 'HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET';
  const { [inFile]: secret, ...outside } = enough;
  writeFileSync(join(folder, '.env'), `${inFile}=${secret}\nHANDLER_CONCURRENCY=7\n`);
  const receiver = startProcess(outside, folder);
  const url = await receiver.url();
  receiver.kill('SIGTERM');
  await receiver.ended;
  const lines = receiver
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const said = (outcome: string) => lines.find((line) => line['outcome'] === outcome);
  expect(said('configured')).toMatchObject({
    environment: ['ADMIN_PORT', 'PORT', 'RISR_BOOKING_UPDATED_SECRET', 'RISR_PROFILE_UPDATED_SECRET'],
    envFile: ['HANDLER_CONCURRENCY', inFile],
  });
  expect(said('started')).toMatchObject({
    url,
    role: 'both',
    inbox: expect.stringMatching(/^sqlite:.*inbox.db$/),
    open: 3,
  });
  expect(said('stopping')).toMatchObject({ signal: 'SIGTERM' });
  expect(said('stopped')).toMatchObject({ code: 0 });
  for (const value of Object.values(enough).filter((text) => text.length > 8))
    expect(JSON.stringify(lines)).not.toContain(value);
});
