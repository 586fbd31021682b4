  '__type__': event({
    mode: 'reply',
    summary: 'Stamped: say in one sentence who waits, and for what.',
    schema: z.looseObject({ id: z.string() }),
    example: { id: 'example-1' },
    answer: z.looseObject({}),
    describe: (answer) => `answered ${Object.keys(answer).length} members`,
    afterFailure: 'record',
  }),
