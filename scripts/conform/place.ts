import type { Configurable } from '../../src/kit/program/config.ts';
import type { Environment } from '../../src/kit/program/reader.ts';
import type { Owner } from './prepare.ts';

/** Where the command runs: within the kit, or as one file without it. */
export interface Place {
  /** What is typed before the options. */
  readonly command: string;
  readonly version: string;
  /** Whose sources are tried. */
  readonly app: Configurable;
  readonly environment: Environment;
  /** What is there within the kit only. */
  readonly kit?: {
    readonly app: Configurable;
    /** Starts the receiver of the kit. */
    start(): Promise<Owner & { stop(): Promise<void> }>;
    /** Writes the suite as one file. */
    bundle(file: string): Promise<void>;
  };
}
