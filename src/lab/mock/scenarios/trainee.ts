import { randomText } from '../random.ts';
import { atPlatform, atReceiver, foundIf, type Scenario } from './scenario.ts';

const EMAIL = 'asa.lind@example.org';
const COLLEGE_NUMBER = 'uf-college-no';

export const trainee: Scenario = {
  name: 'trainee',
  platform: 'risr',
  summary:
    'A trainee logs in for the first time and finds the profile filled in, makes a booking and changes it; the booking is ' +
    'confirmed.',
  begin(world) {
    const { risr, random } = world;
    const user = `usr-${randomText(8, random)}`;
    const booking = `bk-${randomText(12, random)}`;
    const sso = {
      eppn: [`${user}@college.example.org`],
      givenname: ['Åsa'],
      sn: ['Lind'],
      mail: [EMAIL],
    };
    const written = () => risr.user(user).auditLog.filter(({ by }) => by === 'usr-0009').length;

    return [
      {
        does: 'logs in for the first time',
        waits: true,
        act: () => risr.login({ user, sso }),
        effects: [
          atPlatform('the profile has the college number', () => {
            const field = risr.user(user).userFields.find(({ _id }) => _id === COLLEGE_NUMBER);
            return foundIf(field !== undefined, String(field?.value), 'there is none');
          }),
          atPlatform('it was written once', () =>
            foundIf(written() === 1, `rev ${revision(risr.user(user).rev)}`, `written ${written()} times`),
          ),
        ],
      },
      { does: 'books', act: () => risr.makeBooking({ id: booking, user }), effects: [] },
      {
        does: 'changes the booking',
        act: () =>
          risr.changeBooking(booking, {
            fields: [{ key: 'wff-k2m9x4q7ab', label: 'Name', text_value: 'Åsa Lind', str_value: 'Åsa Lind' }],
          }),
        effects: [],
      },
      {
        does: 'has it confirmed',
        act: () => risr.transition(booking, 'Confirm'),
        effects: [
          atPlatform('the booking is CONFIRMED', () => {
            const { state, rev } = risr.booking(booking);
            return foundIf(state.name === 'CONFIRMED', `rev ${revision(rev)}`, `it is ${state.name}`);
          }),
          ...atReceiver(world, 'the booking is CONFIRMED', (receiver) => {
            const { rev } = risr.booking(booking);
            const known = receiver.booking(booking);
            const same = known?.rev === rev && known.state === 'CONFIRMED';
            const instead =
              known === undefined ? 'it is not known' : `it is ${known.state}, rev ${revision(known.rev)}`;
            return foundIf(same, `rev ${revision(rev)}, the latest`, instead);
          }),
        ],
      },
    ];
  },
};

function revision(rev: string): string {
  return rev.split('-', 1)[0] ?? rev;
}
