import type { Fired } from '../mock/sender.ts';
import type { HotdocsPlatform } from '../mock/platforms/hotdocs/platform.ts';
import type { WorkItem } from '../mock/platforms/hotdocs/work-items.ts';
import type { PhenixidPlatform } from '../mock/platforms/phenixid/platform.ts';
import type { Task } from '../mock/platforms/phenixid/tasks.ts';
import { usualWorkflow, type Booking } from '../mock/platforms/risr/bookings.ts';
import type { Document } from '../mock/platforms/risr/documents.ts';
import type { RisrPlatform } from '../mock/platforms/risr/platform.ts';
import type { User } from '../mock/platforms/risr/users.ts';
import { LINK, LOOKUP } from '../mock/scenarios/interview.ts';
import type { Mock } from '../stage/mock.ts';

/** A product as its people see it: what is there, and what they can do. */
export interface Counter {
  readonly source: string;
  readonly title: string;
  readonly kinds: readonly Kind[];
  /** By name; each is done to one thing, or to none, and resolves when the receiver has replied. */
  readonly deeds: ReadonlyMap<string, (id: string) => unknown>;
  /** Oldest first. */
  readonly sent: () => readonly Fired[];
}

/** Things of one kind. */
interface Kind {
  readonly title: string;
  /** Needs none of them. */
  readonly begin?: string;
  /** Oldest first. */
  readonly things: () => readonly Thing[];
}

export interface Thing {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly tone: '' | 'good' | 'warn' | 'bad';
  readonly about: string;
  /** Names of what can be done now. */
  readonly deeds: readonly string[];
}

/** Those whose events the receiver knows. */
export function countersOf({ senders, products }: Mock): readonly Counter[] {
  const titles = new Map(senders.map(({ source }) => [source.name, source.title]));
  const { hotdocs, phenixid, risr } = products;
  return [hotdocsCounter(hotdocs), phenixidCounter(phenixid), risrCounter(risr)].flatMap((counter) => {
    const title = titles.get(counter.source);
    return title === undefined ? [] : [{ ...counter, title }];
  });
}

type Untitled = Omit<Counter, 'title'>;

function hotdocsCounter(hotdocs: HotdocsPlatform): Untitled {
  return {
    source: 'hotdocs',
    kinds: [
      { title: 'Work items', begin: 'New work item', things: () => hotdocs.workItems().map(workItemThing) },
    ],
    deeds: new Map<string, (id: string) => unknown>([
      ['New work item', () => hotdocs.createWorkItem()],
      ['Open the interview', (id) => hotdocs.openInterview(id)],
      [LOOKUP, (id) => hotdocs.clickInterviewEvent(id, LOOKUP)],
      ['Finish', (id) => hotdocs.finishAssembly(id)],
      [LINK, (id) => hotdocs.clickActionLink(id, LINK)],
    ]),
    sent: () => hotdocs.delivered.map(({ fired }) => fired),
  };
}

const VERSION_TONES = {
  InProgress: '',
  PostProcessing: 'warn',
  PostProcessingFailed: 'bad',
  Completed: 'good',
} as const;

function workItemThing({ id, name, versions }: WorkItem): Thing {
  const latest = versions.at(-1);
  const { status = 'InProgress', documents = [], answers = {}, notice = '' } = latest ?? {};
  const answered = Object.keys(answers).length;
  const made = documents.map(({ fileName }) => fileName).join(', ');
  return {
    id,
    name,
    state: status,
    tone: VERSION_TONES[status],
    about: [`version ${versions.length}`, `${answered} answers`, made, notice].filter(Boolean).join('; '),
    deeds: status === 'PostProcessing' ? [LINK] : ['Open the interview', LOOKUP, 'Finish', LINK],
  };
}

function phenixidCounter(phenixid: PhenixidPlatform): Untitled {
  return {
    source: 'phenixid',
    kinds: [{ title: 'Tasks', begin: 'New task', things: () => phenixid.tasks().map(taskThing) }],
    deeds: new Map<string, (id: string) => unknown>([
      ['New task', () => phenixid.createTask()],
      ['Sign', (id) => phenixid.sign(id)],
      ['Reject', (id) => phenixid.reject(id)],
      ['Cancel', (id) => phenixid.cancel(id)],
      ['Expire', (id) => phenixid.expire(id)],
    ]),
    sent: () => phenixid.delivered,
  };
}

const TASK_TONES = {
  PENDING: '',
  ACCEPTED: 'good',
  REJECTED: 'bad',
  CANCELED: 'warn',
  EXPIRED: 'warn',
} as const;

function taskThing({ id, title, state, signers }: Task): Thing {
  return {
    id,
    name: title,
    state,
    tone: TASK_TONES[state],
    about: signers.map((signer) => `${signer.identifier} ${signer.state}`).join(', '),
    deeds: state === 'PENDING' ? ['Sign', 'Reject', 'Cancel', 'Expire'] : [],
  };
}

function risrCounter(risr: RisrPlatform): Untitled {
  return {
    source: 'risr',
    kinds: [
      { title: 'Users', begin: 'First login of somebody', things: () => risr.users().map(userThing) },
      { title: 'Bookings', things: () => risr.bookings().map(bookingThing) },
    ],
    deeds: new Map<string, (id: string) => unknown>([
      ['First login of somebody', () => risr.login({ sso: newcomer(risr.users().length + 1) })],
      ['Log in', (user) => risr.login({ user, sso: {} })],
      ['Save the profile', (id) => risr.saveProfile(id, {})],
      ['Book', (user) => risr.makeBooking({ user })],
      ['Save', (id) => risr.changeBooking(id)],
      ...usualWorkflow.transitions.map(
        ({ name }) => [name, (id: string) => risr.transition(id, name)] as const,
      ),
    ]),
    sent: () => risr.called.map(({ fired }) => fired),
  };
}

function newcomer(number: number) {
  const mail = `asa.lind.${number}@college.example.org`;
  return { eppn: [mail], givenname: ['Åsa'], sn: [`Lind ${number}`], mail: [mail] };
}

function userThing({ id, rev, firstName, lastName, email }: Document<User>): Thing {
  const deeds = ['Log in', 'Save the profile', 'Book'];
  return { id, name: `${firstName} ${lastName}`, state: revision(rev), tone: '', about: email, deeds };
}

function bookingThing({ id, rev, state, user, bookingOption }: Document<Booking>): Thing {
  const transitions = usualWorkflow.transitions.filter(({ from }) => from === state.id);
  return {
    id,
    name: bookingOption.name,
    state: state.name,
    tone: state.name === 'CONFIRMED' ? 'good' : '',
    about: `${revision(rev)}, of ${user}`,
    deeds: [...transitions.map(({ name }) => name), 'Save'],
  };
}

function revision(rev: string): string {
  return `rev ${rev.split('-', 1)[0] ?? rev}`;
}
