import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ON_MACOS = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** How Chromium is started here: the one that CHROME_PATH names, or the first that is installed; `undefined`: none is. */
export function chromiumHere(): { readonly executablePath: string; readonly args: string[] } | undefined {
  const { CHROME_PATH, PATH = '' } = process.env;
  const folders = PATH.split(delimiter);
  const usual = [...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), ON_MACOS];
  const executablePath = CHROME_PATH ?? usual.find(isProgram);
  if (executablePath === undefined) return undefined;
  // It refuses to run its sandbox as root.
  return { executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] };
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
