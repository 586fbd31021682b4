import { createPdf } from '../platforms/documents.ts';
import { randomText, randomUuid, type Random } from '../random.ts';
import { findArchived } from './files.ts';
import {
  atPlatform,
  atReceiver,
  foundIf,
  type Effect,
  type Scenario,
  type Step,
  type World,
} from './scenario.ts';

/** Of the four tasks, by how they end. */
type Fate = 'ACCEPTED' | 'REJECTED' | 'CANCELED' | 'EXPIRED';

const FIRST = { source: 'INTERNAL', identifier: 'k.ek' } as const;
const SECOND = { source: 'INTERNAL', identifier: 'p.sand' } as const;
const FAR_OFF = '2099-12-31T12:00:00';

export const signing: Scenario = {
  name: 'signing',
  platform: 'phenixid',
  summary:
    'Four tasks are made. One is changed, expires, is reopened and signed by two; the others are rejected, cancelled and ' +
    'left to expire. The signed files are archived.',
  begin(world) {
    const { random } = world;
    const tasks = {
      ACCEPTED: randomUuid(random),
      REJECTED: randomUuid(random),
      CANCELED: randomUuid(random),
      EXPIRED: randomUuid(random),
    };
    return [creation(world, tasks), ...signatures(world, tasks.ACCEPTED), ...otherEnds(world, tasks)];
  },
};

function creation({ phenixid, random }: World, tasks: Readonly<Record<Fate, string>>): Step {
  return {
    does: 'makes four tasks',
    act: () =>
      Promise.all(Object.values(tasks).map((id) => phenixid.createTask({ id, title: title(random) }))),
    effects: [],
  };
}

function title(random: Random): string {
  return `Rental agreement ${randomText(6, random)}`;
}

function signatures(world: World, id: string): Step[] {
  const { phenixid, random } = world;
  const signed = () => phenixid.files(id);
  return [
    {
      does: 'corrects description, signers and document',
      async act() {
        const { id: corrected } = phenixid.addFile('Corrected.pdf', createPdf([title(random)]));
        await Promise.all([
          phenixid.updateTask(id, { description: 'As agreed on the telephone.' }),
          phenixid.updateTask(id, { signers: [FIRST, SECOND].map((who) => ({ ...who, attributes: {} })) }),
          phenixid.updateTask(id, { files: [corrected] }),
        ]);
      },
      effects: [],
    },
    { does: 'is too late', act: () => phenixid.expire(id), effects: [] },
    {
      does: 'reopens it with a later due date',
      act: () => phenixid.updateTask(id, { dueDate: FAR_OFF }),
      effects: [],
    },
    { does: 'signs first', act: () => phenixid.sign(id, FIRST.identifier), effects: [] },
    {
      does: 'signs second',
      act: () => phenixid.sign(id, SECOND.identifier),
      effects: [
        ...hasEnded(world, id, 'ACCEPTED'),
        ...atReceiver(world, 'the signed file is archived, once', (receiver) =>
          findArchived(receiver.archived(), id, signed()),
        ),
      ],
    },
  ];
}

function otherEnds(world: World, tasks: Readonly<Record<Fate, string>>): Step[] {
  const { phenixid } = world;
  return [
    {
      does: 'declines the second',
      act: () => phenixid.reject(tasks.REJECTED),
      effects: hasEnded(world, tasks.REJECTED, 'REJECTED'),
    },
    {
      does: 'withdraws the third',
      act: () => phenixid.cancel(tasks.CANCELED),
      effects: hasEnded(world, tasks.CANCELED, 'CANCELED'),
    },
    {
      does: 'forgets the fourth',
      act: () => phenixid.expire(tasks.EXPIRED),
      effects: [...hasEnded(world, tasks.EXPIRED, 'EXPIRED'), ...nothingElse(world, tasks)],
    },
  ];
}

function nothingElse(
  world: World,
  { REJECTED, CANCELED, EXPIRED }: Readonly<Record<Fate, string>>,
): Effect[] {
  return atReceiver(world, 'nothing of these three is archived', (receiver) => {
    const kept = receiver.archived().filter(({ owner }) => [REJECTED, CANCELED, EXPIRED].includes(owner));
    return foundIf(kept.length === 0, 'no file', `${kept.length} files`);
  });
}

function hasEnded(world: World, id: string, fate: Fate): Effect[] {
  return [
    atPlatform(`a task is ${fate}`, () => {
      const { state, signatures } = world.phenixid.task(id);
      const words = signatures.length === 0 ? 'unsigned' : `${signatures.length} signatures`;
      return foundIf(state === fate, words, `it is ${state}`);
    }),
    ...atReceiver(world, `a task is ${fate}`, (receiver) => {
      const state = receiver.taskState(id);
      return foundIf(state === fate, 'as the API says', `it is ${state ?? 'not known'}`);
    }),
  ];
}
