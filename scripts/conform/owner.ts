import { exec, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { basename, delimiter, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Environment } from '../../src/kit/program/reader.ts';
import type { Effects } from '../../src/lab/conformance/stage.ts';
import { messageOf } from '../../src/kit/errors.ts';

// What the owner of a receiver lends to a run: a way to ask what it has done, and a way to restart it.

/**
 * The environment as it was before npm put its own programs in front of the path: a command of the owner's must find the
 * `node` of his receiver, not the one that this project comes with.
 */
export function environmentOutsideNpm(env: Environment, project: string): Environment {
  const { PATH } = env;
  if (PATH === undefined) return env;
  const own = new Set(ancestorsOf(project).map((folder) => join(folder, 'node_modules', '.bin')));
  const entries = PATH.split(delimiter);
  const first = entries.findIndex((entry) => !own.has(entry) && basename(entry) !== 'node-gyp-bin');
  return { ...env, PATH: entries.slice(first < 0 ? entries.length : first).join(delimiter) };
}

function ancestorsOf(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestorsOf(parent)];
}

const PROBE_MS = 30_000;
const MOST_BYTES = 256 * 1024 * 1024;

/** A database says null where there is nothing. */
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);
const effect = z.object({ type: text, ref: text });
const told = z.object({ effects: z.array(effect), quarantined: z.array(effect).default([]) });

/** Asks an address, or runs a command. The promise is rejected when what comes is not what a probe tells. */
export function createProbe(addressOrCommand: string, env: Environment): () => Promise<Effects> {
  const isAddress = /^https?:\/\//.test(addressOrCommand);
  return async () => {
    const answer = isAddress ? await askAddress(addressOrCommand) : await runForOutput(addressOrCommand, env);
    const result = told.safeParse(jsonOr(answer));
    if (result.success) return result.data;
    throw new Error(
      'The probe did not tell {"effects":[{"type":"…","ref":"…"}],"quarantined":[…]} and nothing else: ' +
        whatIsWrong(answer, result.error),
    );
  };
}

const SHOWN = 60;

function whatIsWrong(answer: string, { issues: [issue] }: z.ZodError): string {
  if (answer.trim() === '') return 'it told nothing at all.';
  const beginning = `it begins with ${JSON.stringify(answer.slice(0, SHOWN))}`;
  if (jsonOr(answer) === undefined)
    return `${beginning}, and is no JSON. A command run by npm needs --silent.`;
  const place = issue === undefined || issue.path.length === 0 ? 'all of it' : issue.path.join('.');
  return `${place}: ${issue?.message ?? 'unexpected'}; ${beginning}.`;
}

async function askAddress(address: string): Promise<string> {
  const response = await fetch(address, { signal: AbortSignal.timeout(PROBE_MS) });
  if (!response.ok) throw new Error(`The probe was answered ${response.status}.`);
  return response.text();
}

async function runForOutput(command: string, env: Environment): Promise<string> {
  try {
    const { stdout } = await promisify(exec)(command, { timeout: PROBE_MS, maxBuffer: MOST_BYTES, env });
    return stdout;
  } catch (error) {
    throw new Error(`The probe failed: ${messageOf(error)}`, { cause: error });
  }
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const RESTART_MS = 60_000;

/** Runs a command, and waits until the receiver listens again. */
export function createRestart(
  command: string,
  { hostname, port, protocol }: URL,
  env: Environment,
): () => Promise<void> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const number = Number(port) || (protocol === 'https:' ? 443 : 80);
  return async () => {
    // What it starts may go on running, and must not be waited for because it still writes somewhere.
    const child = spawn(command, { shell: true, stdio: ['ignore', 'ignore', 'inherit'], env });
    await once(child, 'exit');
    if (child.exitCode !== 0)
      throw new Error(`The restart command ended with ${child.exitCode ?? 'a signal'}.`);
    await untilListening(host, number);
  };
}

async function untilListening(host: string, port: number): Promise<void> {
  const started = performance.now();
  while (!(await listens(host, port))) {
    if (performance.now() - started > RESTART_MS) {
      throw new Error(`Nothing listened at ${host}:${port} within a minute after the restart command.`);
    }
    await pause(50);
  }
}

async function listens(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
