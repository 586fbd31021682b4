import { readFileSync } from 'node:fs';

/** The kit's version, as package.json records it. */
export function kitVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  // package.json is ours.
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}
