import { expect, it } from '@jest/globals';
import pg from 'pg';
import type { Source } from '../../../../src/kit/source.ts';
import { hotdocs } from '../../../../src/kit/sources/hotdocs/index.ts';
import { risr } from '../../../../src/kit/sources/risr/index.ts';
import { later } from '../../../support/fixtures.ts';
import { newReceiver } from '../../../support/new-receiver.ts';
import { until } from '../../../support/until.ts';
import { newDatabase, useServer } from './databases.ts';

useServer();

it.each<{ source: Source; type: string; left: string }>([
  { source: hotdocs, type: 'InterviewLoadEvent', left: 'dead' },
  { source: risr, type: 'user_logged_in', left: 'done' },
])(
  'does not keep the sender of $type waiting for a database beyond the deadline',
  async ({ source, type, left }) => {
    const url = await newDatabase();
    let runs = 0;
    const handler = () => {
      runs += 1;
      return source === hotdocs ? {} : 'welcome';
    };
    const { receiver, sender } = await newReceiver({
      handlers: { [source.name]: { [type]: handler } },
      env: { INBOX_URL: url, HOTDOCS_DEADLINE_MS: '150', RISR_DEADLINE_MS: '150' },
    });
    const other = new pg.Client(url);
    await other.connect();
    later(() => other.end());
    await other.query('BEGIN; LOCK TABLE inbox.key');
    const request = await sender.request(source, type);
    expect((await sender.send(request)).status).toBe(503); // the lock is still held
    expect(runs).toBe(0);
    await other.query('COMMIT');

    await until('it is stored, and left', async () => {
      const [entry] = await receiver.app.inbox.list({ limit: 1 });
      return entry?.status === left;
    });
    await until('it is answered', async () => (await sender.send(request)).status === 200);
    expect(runs).toBe(1);
  },
);
