    '__type__': () => 'did nothing yet',
