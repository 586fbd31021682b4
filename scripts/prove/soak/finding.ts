/** What should be, and whether it was. */
export interface Finding {
  readonly text: string;
  readonly kept: boolean;
  /** How long something took: a target on a machine that does nothing else, and no promise. */
  readonly isTarget?: boolean;
}

export function findingText({ text, kept, isTarget = false }: Finding): string {
  const [good, bad] = isTarget ? ['met   ', 'MISSED'] : ['kept  ', 'BROKEN'];
  return `${kept ? good : bad}  ${text}`;
}

export function isBroken({ kept, isTarget = false }: Finding): boolean {
  return !kept && !isTarget;
}
