import { registerHooks } from 'node:module';
import { watchPostgres } from './watch-postgres.ts';
import { watchReplies } from './watch-replies.ts';
import { watchSqlite } from './watch-sqlite.ts';

// Preloaded with --import into the real program. Puts child-handlers.ts in the place of src/handlers/index.ts, which is
// what an integrator does by writing into that folder, and has this process die where FAULT_POINT says.
registerHooks({
  resolve: (specifier, context, next) =>
    next(
      specifier === './handlers/index.ts' ? new URL('child-handlers.ts', import.meta.url).href : specifier,
      context,
    ),
});

const { INBOX_URL = '', FAULT_POINT } = process.env;
if (FAULT_POINT !== undefined) {
  watchReplies();
  if (INBOX_URL.startsWith('sqlite:')) watchSqlite(INBOX_URL.slice('sqlite:'.length));
  if (INBOX_URL.startsWith('postgres:')) watchPostgres();
}
