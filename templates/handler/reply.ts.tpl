'__type__'(event) {
  // event.payload: __members__ (__catalogue__: what to return, too). tools: what src/app/index.ts opens.
  // Somebody waits. As long as this says notWritten, the harmless answer is given, and the event is kept as a dead letter.
  return notWritten(event);
}
