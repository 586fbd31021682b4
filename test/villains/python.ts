import { here, requireProgram, startProgram, type RunningProgram } from './foreign.ts';
import type { Credentials } from './parts.ts';

/** Whether this machine has the Python that the receiver needs, 3.9; says loudly what is not tested if it has not. */
export function requirePython(what: string): boolean {
  const isRecent = 'import sys; sys.exit(sys.version_info < (3, 9))';
  return requireProgram(what, 'python3 of 3.9 or later', 'python3', '-c', isRecent);
}

/** Starts `receiver.py` as a process of its own. */
export function startPython(credentials: Credentials): Promise<RunningProgram> {
  return startProgram(credentials, 'python3', here('receiver.py'));
}
