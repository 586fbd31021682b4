import { exec, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Effects } from '../../src/lab/conformance/stage.ts';
import { messageOf } from '../../src/kit/errors.ts';

// What the owner of a receiver lends to a run: a way to ask what it has done, and a way to restart it.

const PROBE_MS = 30_000;
const MOST_BYTES = 256 * 1024 * 1024;

const effect = z.object({ type: z.string().optional(), ref: z.string().optional() });
const told = z.object({ effects: z.array(effect), quarantined: z.array(effect).default([]) });

/** Asks an address, or runs a command. The promise is rejected when what comes is not what a probe tells. */
export function createProbe(addressOrCommand: string): () => Promise<Effects> {
  const ask = /^https?:\/\//.test(addressOrCommand) ? askAddress : runForOutput;
  return async () => {
    const text = await ask(addressOrCommand);
    const result = told.safeParse(jsonOr(text));
    if (result.success) return result.data;
    throw new Error(
      'The probe did not tell {"effects":[{"type":"…","ref":"…"}],"quarantined":[…]} and nothing else. A command run by npm ' +
        'needs --silent.',
    );
  };
}

async function askAddress(address: string): Promise<string> {
  const response = await fetch(address, { signal: AbortSignal.timeout(PROBE_MS) });
  if (!response.ok) throw new Error(`The probe was answered ${response.status}.`);
  return response.text();
}

async function runForOutput(command: string): Promise<string> {
  try {
    const { stdout } = await promisify(exec)(command, { timeout: PROBE_MS, maxBuffer: MOST_BYTES });
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
export function createRestart(command: string, { hostname, port, protocol }: URL): () => Promise<void> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const number = Number(port) || (protocol === 'https:' ? 443 : 80);
  return async () => {
    // What it starts may go on running, and must not be waited for because it still writes somewhere.
    const child = spawn(command, { shell: true, stdio: ['ignore', 'ignore', 'inherit'] });
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
