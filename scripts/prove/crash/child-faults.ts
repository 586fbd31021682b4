import { watchPostgres } from './watch-postgres.ts';
import { watchReplies } from './watch-replies.ts';
import { watchSqlite } from './watch-sqlite.ts';

// Preloaded with --import: has this process die where FAULT_POINT says.

const { INBOX_URL = '', FAULT_POINT } = process.env;
if (FAULT_POINT !== undefined) {
  watchReplies();
  if (INBOX_URL.startsWith('sqlite:')) watchSqlite(INBOX_URL.slice('sqlite:'.length));
  if (INBOX_URL.startsWith('postgres:')) watchPostgres();
}
