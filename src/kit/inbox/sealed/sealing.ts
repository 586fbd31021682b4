import { isSealed, seal, unseal } from './bytes.ts';
import type { InboxKey } from './keys.ts';

/** Encrypts what an app keeps itself, with the keys of the inbox: `INBOX_KEYS`. */
export interface Sealing {
  /** Whether there is a key. Without one `seal` gives bytes back as they are. */
  isOn(): boolean;
  /** `owner` says what the bytes belong to, `record 7`: put in the place of another's they cannot be opened. */
  seal(plain: Buffer, owner: string): Buffer;
  /**
   * The bytes as they were before `seal`. Those that were kept before there was a key are given back as they are, if they do not begin
   * with 0xC1, as no text does: keep binary files from then apart.
   * @throws Unreadable
   */
  open(kept: Buffer, owner: string): Buffer;
}

/** The first key seals, all open; they may change meanwhile. */
export function createSealing(keys: readonly InboxKey[]): Sealing {
  const boundTo = (owner: string) => Buffer.from(`app ${owner}`);
  return {
    isOn: () => keys.length > 0,
    seal: (plain, owner) => (keys[0] === undefined ? plain : seal(plain, keys[0], boundTo(owner))),
    open: (kept, owner) => (isSealed(kept) ? unseal(kept, keys, boundTo(owner)) : kept),
  };
}
