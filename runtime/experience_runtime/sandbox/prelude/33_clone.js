// structuredClone: a deep copy of data, with its cycles, or a refusal of what is no data.
(function (kit) {
  'use strict'
  const RealDOMException = DOMException
  const RealRegExp = RegExp
  const RealArrayBuffer = ArrayBuffer
  const DataClasses = kit.record({ Error: Error, EvalError: EvalError, RangeError: RangeError, ReferenceError: ReferenceError, SyntaxError: SyntaxError, TypeError: TypeError, URIError: URIError })
  const getter = (target, name) => kit.method(kit.descriptor(target, name).get)
  const typedArray = kit.prototypeOf(Uint8Array.prototype)
  const kindOf = getter(typedArray, Symbol.toStringTag)
  const bufferOf = getter(typedArray, 'buffer')
  const offsetOf = getter(typedArray, 'byteOffset')
  const lengthOf = getter(typedArray, 'length')
  const sliceBuffer = kit.method(RealArrayBuffer.prototype.slice)
  const bufferLength = getter(RealArrayBuffer.prototype, 'byteLength')
  const getTime = kit.method(kit.Date.prototype.getTime)
  const sourceOf = getter(RealRegExp.prototype, 'source')
  const flagsOf = getter(RealRegExp.prototype, 'flags')
  const setEach = kit.method(Set.prototype.forEach)
  const addTo = kit.method(Set.prototype.add)
  const mapGet = kit.method(Map.prototype.get)
  const setSize = getter(Set.prototype, 'size')
  const UNBOXED = [kit.method(Number.prototype.valueOf), kit.method(String.prototype.valueOf), kit.method(Boolean.prototype.valueOf), kit.method(BigInt.prototype.valueOf)]
  const RealObject = kit.Object
  const VIEWS = kit.record({})
  for (const name of ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array']) {
    VIEWS[name] = kit.global[name]
  }

  // What a read of a value's inside gives; `none` where it is of another kind.
  const none = kit.record({})
  function inside (read, value) {
    try {
      return read(value)
    } catch (thrown) {
      return none
    }
  }

  function refuse (what) {
    throw new RealDOMException(what + ' could not be cloned.', 'DataCloneError')
  }

  function clone (value, seen) {
    if (typeof value === 'symbol') refuse(kit.String(value))
    if (typeof value === 'function') refuse(kit.sourceOf(value))
    if (typeof value !== 'object' || value === null) return value
    const before = mapGet(seen, value)
    if (before !== undefined) return before
    const keep = (copy) => {
      kit.mapSet(seen, value, copy)
      return copy
    }
    if (kit.isArray(value)) {
      const copy = keep([])
      copy.length = value.length
      return members(value, copy, seen)
    }
    const time = inside(getTime, value)
    if (time !== none) return keep(new kit.LocalDate(time))
    if (kit.isRegExp(value) && inside(sourceOf, value) !== none) return keep(new RealRegExp(sourceOf(value), flagsOf(value)))
    if (inside(kit.mapSize, value) !== none) {
      const copy = keep(new kit.Map())
      kit.mapEach(value, (each, key) => kit.mapSet(copy, clone(key, seen), clone(each, seen)))
      return copy
    }
    if (inside(setSize, value) !== none) {
      const copy = keep(new kit.Set())
      setEach(value, (each) => addTo(copy, clone(each, seen)))
      return copy
    }
    if (inside(bufferLength, value) !== none) return keep(sliceBuffer(value, 0))
    const kind = kindOf(value)
    if (kind !== undefined) return keep(new VIEWS[kind](clone(bufferOf(value), seen), offsetOf(value), lengthOf(value)))
    if (kit.isError(value)) return keep(errorOf(value, seen))
    for (let index = 0; index < UNBOXED.length; index++) {
      const plain = inside(UNBOXED[index], value)
      if (plain !== none) return keep(RealObject(plain))
    }
    if (kit.prototypeOf(value) === kit.promisePrototype) refuse('#<Promise>')
    return members(value, keep({}), seen)
  }

  function members (value, copy, seen) {
    const names = kit.keys(value)
    for (let index = 0; index < names.length; index++) {
      kit.define(copy, names[index], {
        __proto__: null, value: clone(value[names[index]], seen), writable: true, enumerable: true, configurable: true
      })
    }
    return copy
  }

  function errorOf (value, seen) {
    const Class = DataClasses[kit.String(value.name)] || kit.Error
    const copy = new Class(value.message === undefined ? undefined : kit.String(value.message))
    kit.hidden(copy, 'stack', kit.String(value.stack))
    if (value.cause !== undefined) kit.hidden(copy, 'cause', clone(value.cause, seen))
    return copy
  }

  kit.hidden(kit.global, 'structuredClone', function structuredClone (value) {
    if (arguments.length === 0) throw new kit.TypeError('structuredClone needs a value')
    return clone(value, new kit.Map())
  })
})
