/** How long a Retry-After header asks us to wait: seconds, or a date (RFC 9110, 10.2.3). */
export function retryAfterMs(value: string | string[] | undefined, now: number): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  // Date.parse reads almost anything as some date; HTTP's all end like this.
  const at = value.endsWith(' GMT') ? Date.parse(value) : NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
