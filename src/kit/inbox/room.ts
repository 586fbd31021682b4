import { inboxFull, type InboxUnavailable, type Room, type Stats } from './inbox.ts';

/**
 * Why there is no room for content of so many bytes, if there is none. Where nothing waits there is room for any: what
 * does not fit would be refused for ever.
 */
export function refusal(
  { maxWaiting, maxWaitingBytes = Infinity }: Room,
  waiting: Pick<Stats, 'waiting' | 'waitingBytes'>,
  bytes: number,
): InboxUnavailable | undefined {
  const tooMany = waiting.waiting >= maxWaiting;
  const tooLarge = waiting.waiting > 0 && waiting.waitingBytes + bytes > maxWaitingBytes;
  return tooMany || tooLarge ? inboxFull(waiting) : undefined;
}
