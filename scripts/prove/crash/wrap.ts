/** A call of a method that something was put around. */
export interface Call<Host> {
  readonly self: Host;
  readonly args: readonly unknown[];
  /** Lets the method do what it does, with what it was given unless told otherwise. */
  readonly go: (args?: readonly unknown[]) => unknown;
}

/** Puts a function around a method of a prototype. What the function returns is what the caller gets. */
export function wrapMethod<Host extends object>(
  prototype: Host,
  name: keyof Host & string,
  around: (call: Call<Host>) => unknown,
): void {
  const method: unknown = prototype[name];
  if (typeof method !== 'function') throw new Error(`There is no method ${name} to put something around.`);
  Object.defineProperty(prototype, name, {
    configurable: true,
    writable: true,
    value(this: Host, ...args: unknown[]) {
      const go = (others: readonly unknown[] = args): unknown => Reflect.apply(method, this, others);
      return around({ self: this, args, go });
    },
  });
}
