const wrapped = z.looseObject({
  id: z.string(),
  type: z.string(),
  data: z.unknown(),
});

function read(content: Buffer): Envelope {
  const { id, type, data } = parse(wrapped, readJson(content), 'payload_invalid');
  return { type, id, key: id, payload: data };
}

function write({ id, type, payload }: OutgoingEvent): Buffer {
  return Buffer.from(JSON.stringify({ id, type, data: payload }));
}
