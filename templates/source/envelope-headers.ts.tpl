function read(
  content: Buffer,
  _endpoint: unknown,
  _settings: unknown,
  headers: EnvelopeHeaders,
): Envelope {
  const type = headers[TYPE_HEADER.toLowerCase()];
  if (type === undefined) throw new DeadLetter('event_unknown', `Expected the event type in ${TYPE_HEADER}.`);
  // Not the id while nobody signs it: a recorded delivery could be sent again under another one. Two types may share a body.
  const key = `${type} ${createHash('sha256').update(content).digest('hex')}`;
  return { type, id: headers[ID_HEADER.toLowerCase()], key, payload: readJson(content) };
}

function write({ payload }: OutgoingEvent): Buffer {
  return Buffer.from(JSON.stringify(payload));
}
