import type { Html } from '../reading/html.ts';

/** Who looks at the console, and what he may do. */
export interface Visitor {
  /** As CONSOLE_TOKEN calls him; it stands in the record of what he does. */
  readonly name: string;
  readonly role: Role;
}

export type Role = 'look' | 'act';

/** Whoever sits at the machine on which it is developed. */
export const DEVELOPER: Visitor = { name: 'developer', role: 'act' };

/** What a page is asked for. */
export interface Asked {
  readonly visitor: Visitor;
  /** Parts of the path behind that of the page. */
  readonly rest: readonly string[];
  readonly query: URLSearchParams;
  /** What was posted to it; `undefined`: it is only looked at. */
  readonly form: URLSearchParams | undefined;
}

/** A page besides those of the console, with a path of its own: the parts for development come so. */
export interface ConsolePage {
  /** One segment: `mock`. */
  readonly path: string;
  /** In the navigation, and on top of it. */
  readonly title: string;
  /** What is inside it. */
  show(asked: Asked): Promise<Html>;
}
