import { randomUuid, type Random } from '../../random.ts';
import type { Fired } from '../../sender.ts';
import { createBackground } from '../background.ts';
import type { Choices } from '../choices.ts';
import type { Fire, Target } from '../firing.ts';
import type { Archive } from './archive.ts';
import type { PhenixidChoices, phenixidSwitches } from './switches.ts';
import { createTask, updateTask, type Step, type Task, type TaskChanges, type TaskFields } from './tasks.ts';
import { ApiRefusal } from '../platform.ts';

/** A task after a change, and the events that tell of it; wait for them to have their replies. */
export interface Begun {
  readonly task: Task;
  readonly fired: Promise<readonly Fired[]>;
}

/** What happens to a task, and which events that sends. */
export interface Process {
  create(fields: TaskFields, id?: string): Begun;
  update(id: string, changes: TaskChanges): Begun;
  apply(id: string, deed: (task: Task) => Step): Begun;
  readonly delivered: readonly Fired[];
  settled(): Promise<void>;
}

interface ProcessParts {
  readonly fire: Fire;
  readonly random: Random;
  readonly now: () => Date;
  /** Nothing where events are not enabled. */
  readonly target: Target | undefined;
  readonly archive: Archive;
  readonly choices: Choices<typeof phenixidSwitches>;
}

export function createProcess({ fire, random, now, target, archive, choices }: ProcessParts): Process {
  const background = createBackground();
  const delivered: Fired[] = [];

  const push = async ({ task, events }: Step): Promise<Fired[]> => {
    const fired: Fired[] = [];
    if (target === undefined) return fired;
    const switches = { ...choices.sending(), ...target.switches };
    for (const type of asSent(events, choices.own())) {
      const one = await fire(type, { taskId: task.id, orderId: task.id }, { ...target, switches });
      fired.push(one);
      delivered.push(one);
    }
    return fired;
  };
  const begin = (step: Step): Begun => {
    archive.save(step.task);
    const fired = push(step);
    background.run(fired);
    return { task: step.task, fired };
  };

  return {
    create(fields, id = randomUuid(random)) {
      if (archive.all().some((task) => task.id === id)) {
        throw new ApiRefusal(400, 'There is a task of this id.');
      }
      archive.demandFiles(fields.files);
      return begin(createTask(id, fields));
    },
    update(id, changes) {
      const task = archive.find(id);
      archive.demandFiles(changes.files ?? [], task);
      return begin(updateTask(task, changes, now()));
    },
    apply: (id, deed) => begin(deed(archive.find(id))),
    delivered,
    settled: () => background.settled(),
  };
}

function asSent(
  events: readonly string[],
  { lastSignature, deliveries }: PhenixidChoices,
): readonly string[] {
  const ordered = lastSignature === 'accepted-first' ? events.toReversed() : events;
  return deliveries === 'twice' ? ordered.flatMap((type) => [type, type]) : ordered;
}
