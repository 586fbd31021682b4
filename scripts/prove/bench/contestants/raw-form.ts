import { secretIn } from './listen.ts';
import { isSigned, serveRaw } from './raw.ts';

const secret = secretIn('HOTDOCS_NEW_WORK_ITEM_VERSION_COMPLETE_SECRET');

serveRaw((body) => isSigned(body.toString().slice('token='.length), secret));
