import { z } from 'zod';
import { DeadLetter, type RisrApi } from '../../../kit/index.ts';
import type { Value } from '../../records/records.ts';

/** The user field for the college number, as `GET /v2/user-fields` of your organisation lists it. */
const COLLEGE_NUMBER = 'uf-college-no';

interface Known {
  /** What we know of the person. */
  readonly person: Value;
  /** What the single sign-on said of whoever logged in. */
  readonly sso: Readonly<Record<string, readonly string[]>>;
}

interface Filled {
  /** The revision that our own write made; none where there was nothing to write. */
  readonly own: { readonly writtenRev?: string | undefined };
  readonly note: string;
}

/** Writes into a user what we know of the person, unless it is there already. @throws DeadLetter if it is somebody else */
export async function fillProfile(
  api: RisrApi,
  user: string,
  { person, sso }: Known,
  signal: AbortSignal,
): Promise<Filled> {
  const { written, rev } = await api.writeUser(
    user,
    (found) => {
      checkIdentity(identified.parse(found), sso);
      return withCollegeNumber(identified.parse(found), person['collegeNumber']);
    },
    signal,
  );
  return written
    ? { own: { writtenRev: rev }, note: 'profile filled in' }
    : { own: {}, note: 'profile is right' };
}

const identified = z.looseObject({
  email: z.string().nullish(),
  credentials: z.array(z.looseObject({ userName: z.string().nullish() })).nullish(),
  userFields: z.array(z.looseObject({ _id: z.string() })).nullish(),
});

type User = z.output<typeof identified>;

/** Where the id of the user stands in a login is not documented: a wrong guess must not change another person. */
function checkIdentity({ email, credentials }: User, sso: Known['sso']): void {
  const names = [email, ...(credentials ?? []).map(({ userName }) => userName)];
  const said = [...(sso['mail'] ?? []), ...(sso['eppn'] ?? [])].map((name) => name.toLowerCase());
  if (names.some((name) => typeof name === 'string' && said.includes(name.toLowerCase()))) return;
  throw new DeadLetter(
    'handler_gave_up',
    'The user has neither the e-mail nor the user name of the single sign-on; nothing was written. Check RISR_USER_ID_MEMBERS.',
  );
}

function withCollegeNumber({ userFields }: User, value: unknown): Value | undefined {
  if (value === undefined) return undefined;
  const others = (userFields ?? []).filter(({ _id }) => _id !== COLLEGE_NUMBER);
  const before = (userFields ?? []).find(({ _id }) => _id === COLLEGE_NUMBER);
  if (before?.['value'] === value) return undefined;
  return { userFields: [...others, { ...before, _id: COLLEGE_NUMBER, value }] };
}
