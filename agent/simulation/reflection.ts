/**
 * The two functions of the metadata proposal that `tsyringe` wants before `@peculiar/x509` can be loaded. Only classes are
 * annotated there, so a map for each class is enough; a complete polyfill that is already loaded is left alone.
 */
interface MetadataReflect {
  getMetadata?: (key: unknown, target: object) => unknown;
  getOwnMetadata?: (key: unknown, target: object) => unknown;
  defineMetadata?: (key: unknown, value: unknown, target: object) => void;
}

export function provideMetadata(): void {
  const reflect: typeof Reflect & MetadataReflect = Reflect;
  if (reflect.getMetadata !== undefined) return;
  const known = new WeakMap<object, Map<unknown, unknown>>();
  const getOwn = (key: unknown, target: object) => known.get(target)?.get(key);
  reflect.getOwnMetadata = getOwn;
  reflect.getMetadata = (key, target) => {
    for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at)) {
      if (known.get(at)?.has(key)) return getOwn(key, at);
    }
    return undefined;
  };
  reflect.defineMetadata = (key, value, target) => {
    const own = known.get(target) ?? new Map<unknown, unknown>();
    known.set(target, own.set(key, value));
  };
}
