import { secretIn } from './listen.ts';
import { isSigned, serveRaw } from './raw.ts';

const secret = secretIn('RISR_PROFILE_UPDATED_SECRET');

serveRaw((body) => isSigned(body.toString(), secret));
