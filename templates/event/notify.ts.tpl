  '__type__': event({
    mode: 'notify',
    summary: 'Stamped: say in one sentence what has happened.',
    schema: z.looseObject({ id: z.string() }),
    example: { id: 'example-1' },
    subject: ({ id }) => `__subject__:${id}`,
  }),
