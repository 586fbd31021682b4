import type { OutgoingRequest, ReplyContent } from '../source.ts';

// What senders have in common that post an event as it is and want to hear nothing but that it came.

const ok: ReplyContent = { status: 200, type: 'json', body: '{"ok":true}' };

/** The same reply to everything. */
export const okReplies = { accepted: ok, answer: () => ok, harmless: () => ok } as const;

/** `contentType` as the mock chooses it; `none` leaves the header out. */
export function post(
  target: string,
  body: Buffer,
  contentType: string,
  headers: OutgoingRequest['headers'] = {},
): OutgoingRequest {
  const described = contentType === 'none' ? {} : { 'Content-Type': contentType };
  return { method: 'POST', target, headers: { ...described, ...headers }, body };
}
