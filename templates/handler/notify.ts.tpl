'__type__'(event) {
  // event.payload: __members__ (__catalogue__). tools: what src/app/index.ts opens.
  // Return a few words on what you did. As long as this says notWritten, the event is kept as a dead letter.
  return notWritten(event);
}
