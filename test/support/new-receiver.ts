import { later } from './fixtures.ts';
import { startReceiver, type TestReceiver, type TestReceiverOptions } from './receiver.ts';
import type { TestSender } from './test-sender.ts';

/** A receiver for this test only, and its sender. */
export async function newReceiver(
  options?: TestReceiverOptions,
): Promise<{ readonly receiver: TestReceiver; readonly sender: TestSender }> {
  const receiver = await startReceiver(options);
  later(() => receiver.stop());
  return { receiver, sender: receiver.sender };
}
