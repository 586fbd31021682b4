import { ServerResponse } from 'node:http';
import { endpointsOf } from '../../../src/kit/endpoint/definition.ts';
import { definitionOf, type Source } from '../../../src/kit/source.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { pass, wrapMethod } from './fault.ts';
import { watchPostgres } from './watch-postgres.ts';
import { watchSqlite } from './watch-sqlite.ts';

// Preloaded with --import: has this process die where FAULT_POINT says.

const { INBOX_URL = '', FAULT_POINT } = process.env;
if (FAULT_POINT !== undefined) {
  watchReplies();
  if (INBOX_URL.startsWith('sqlite:')) watchSqlite(INBOX_URL.slice('sqlite:'.length));
  if (INBOX_URL.startsWith('postgres:')) watchPostgres();
}

/** Passes the points around each reply with which a delivery is accepted. */
function watchReplies(): void {
  const modes = modesByPath();
  const prototype = ServerResponse.prototype as ServerResponse; // typed as if its request could be anything
  wrapMethod(prototype, 'writeHead', ({ self, args, go }) => {
    const [path = ''] = (self.req.url ?? '').split('?');
    const mode = modes.get(path);
    if (mode === undefined || Number(args[0]) >= 300) return go();
    if (mode === 'reply') pass('before-answer');
    self.once('finish', () => pass(mode === 'reply' ? 'answer-sent' : 'reply-sent'));
    return go();
  });
}

function modesByPath(): Map<string, 'notify' | 'reply'> {
  return new Map(
    sources.flatMap((source: Source) =>
      endpointsOf(source).map(({ path, type }) => [
        path,
        (type === undefined ? undefined : definitionOf(source, type)?.mode) ?? 'notify',
      ]),
    ),
  );
}
