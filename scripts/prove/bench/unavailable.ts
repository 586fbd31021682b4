/** A contestant cannot take part on this machine; the message says what is missing. The others go on. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}
