import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import type { Switches } from '../../../../kit/source.ts';
import type { Fired } from '../../sender.ts';
import { createChoices, type PlatformOptions } from '../choices.ts';
import { adminRoutes } from './admin.ts';
import { apiRoutes } from './api.ts';
import { createArchive, type StoredFile } from './archive.ts';
import { createProcess, type Begun } from './process.ts';
import { fieldsOf, newTask, phenixidSeed, placeTask } from './seed.ts';
import { phenixidSwitches } from './switches.ts';
import { cancelTask, expireTask, rejectTask, signTask, type Task, type TaskChanges } from './tasks.ts';
import { webHookTarget } from './webhook.ts';
import type { Platform } from '../platform.ts';
import { addressesOf, dispatch } from '../routes.ts';

/** Signing Workflow in memory. What a scenario's people do are its methods; they resolve when the events are replied to. */
export interface PhenixidPlatform extends Platform {
  /** By its owner in the product's own pages. @throws ApiRefusal 400, as the rest of these */
  createTask(input?: z.input<typeof newTask>): Promise<Happened>;
  updateTask(id: string, changes: TaskChanges): Promise<Happened>;
  /** By this signer, or by the first who has not. */
  sign(id: string, signer?: string): Promise<Happened>;
  reject(id: string, signer?: string): Promise<Happened>;
  cancel(id: string): Promise<Happened>;
  expire(id: string): Promise<Happened>;
  /** As retention does: no event tells of it. */
  deleteTask(id: string): void;
  addFile(fileName: string, body: Buffer): StoredFile;
  /** As it is, whatever the API shows yet. */
  task(id: string): Task;
  tasks(): readonly Task[];
  files(id: string): readonly StoredFile[];
  readonly delivered: readonly Fired[];
  /** Changes switches while it runs; the others stay as they are. */
  choose(switches: Switches): void;
  /** Resolves when every event on its way has been replied to. */
  settled(): Promise<void>;
}

export interface Happened {
  readonly task: Task;
  /** The events that told it; none where the webhook is not enabled. */
  readonly fired: readonly Fired[];
}

export interface PhenixidOptions extends PlatformOptions {
  /** Content of a `config.json`, or its path; of it the section `webHook` counts. */
  readonly config: unknown;
  readonly seed?: z.input<typeof phenixidSeed>;
}

/** @throws UsageError for a configuration that cannot be used */
export function createPhenixidPlatform(options: PhenixidOptions): PhenixidPlatform {
  const { fire, random, now } = options;
  const target = webHookTarget(options.config);
  const choices = createChoices(phenixidSwitches, options);
  const { own, choose } = choices;
  const archive = createArchive(random, now, own);
  for (const task of phenixidSeed.parse(options.seed ?? {}).tasks) placeTask(task, archive, random, now());
  const process = createProcess({ fire, random, now, target, archive, choices });

  const people: Omit<PhenixidPlatform, keyof Platform> = {
    async createTask(input = {}) {
      const task = newTask.parse(input);
      return happened(process.create(fieldsOf(task, archive), task.id));
    },
    updateTask: async (id, changes) => happened(process.update(id, changes)),
    sign: async (id, signer) => happened(process.apply(id, (task) => signTask(task, signer, now()))),
    reject: async (id, signer) => happened(process.apply(id, (task) => rejectTask(task, signer))),
    cancel: async (id) => happened(process.apply(id, cancelTask)),
    expire: async (id) => happened(process.apply(id, expireTask)),
    deleteTask: (id) => archive.remove(id),
    addFile: (fileName, body) => archive.addFile(fileName, body),
    task: (id) => archive.find(id),
    tasks: () => archive.all(),
    files(id) {
      const task = archive.find(id);
      return task.files.map((fileId) => archive.fileOf(task, fileId));
    },
    delivered: process.delivered,
    choose,
    settled: () => process.settled(),
  };

  const admin = adminRoutes(people);
  const routes = [...apiRoutes({ archive, process, own }), ...admin];
  return {
    name: 'phenixid',
    admin: addressesOf('/phenixid', admin),
    async handle(request) {
      if (own().apiDelayMs !== '0') await pause(Number(own().apiDelayMs));
      return dispatch(routes, request);
    },
    ...people,
  };
}

async function happened({ task, fired }: Begun): Promise<Happened> {
  return { task, fired: await fired };
}
