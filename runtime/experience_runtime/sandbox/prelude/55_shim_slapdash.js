// require('slapdash'): a small utility belt. Collections are arrays; objects have functions of their own.
(function (kit) {
  'use strict'
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function'
  const lengthOf = (array) => array.length // as in the package, null and undefined are no collection
  const put = (target, name, value) => kit.define(target, name, {
    __proto__: null, value: value, writable: true, enumerable: true, configurable: true
  })
  const keys = kit.keys
  const keysOf = (object) => object === undefined || object === null ? [] : kit.keys(object)
  const bind = (fn, self, ...given) => function (...args) {
    const all = []
    for (let index = 0; index < given.length; index++) kit.push(all, given[index])
    for (let index = 0; index < args.length; index++) kit.push(all, args[index])
    return kit.apply(fn, self, all)
  }

  function each (array, fn, self) {
    for (let index = 0; index < lengthOf(array); index++) kit.apply(fn, self, [array[index], index, array])
  }

  function map (array, fn, self) {
    const made = []
    each(array, (value, index) => kit.push(made, kit.apply(fn, self, [value, index, array])))
    return made
  }

  function filter (array, fn, self) {
    const kept = []
    each(array, (value, index) => { if (kit.apply(fn, self, [value, index, array])) kit.push(kept, value) })
    return kept
  }

  function find (array, fn, self) {
    for (let index = 0; index < lengthOf(array); index++) {
      const value = array[index]
      if (kit.apply(fn, self, [value, index, array])) return value
    }
  }

  function some (array, fn, self) {
    for (let index = 0; index < lengthOf(array); index++) if (kit.apply(fn, self, [array[index], index, array])) return true
    return false
  }

  const every = (array, fn, self) => !some(array, (value, index) => !kit.apply(fn, self, [value, index, array]))

  // an initial value that is left out is undefined: the first item is not taken for it
  function reduce (array, fn, initial) {
    let result = initial
    for (let index = 0; index < lengthOf(array); index++) {
      result = kit.apply(fn, undefined, [result, array[index], index, array])
    }
    return result
  }

  function indexOf (array, item) {
    for (let index = 0; index < lengthOf(array); index++) if (array[index] === item) return index
    return -1
  }

  function slice (array, from, to) {
    const length = lengthOf(array)
    const place = (given, otherwise) => given === undefined ? otherwise : given < 0 ? (length + given < 0 ? 0 : length + given) : given
    const kept = []
    const end = place(to, length)
    for (let index = place(from, 0); index < end && index < length; index++) kit.push(kept, array[index])
    return kept
  }

  function unique (array) {
    const kept = []
    each(array, (value) => { if (indexOf(kept, value) < 0) kit.push(kept, value) })
    return kept
  }

  const pluck = (array, name) => map(array, (value) => value === undefined || value === null ? undefined : value[name])
  const values = (object) => map(keys(object), (name) => object[name])

  function invoke (array, name, ...args) {
    return map(array, (value) => kit.apply(value[name], value, args))
  }

  function objectEach (object, fn, self) {
    each(keys(object), (name) => { kit.apply(fn, self, [object[name], name, object]) })
  }

  function objectMap (object, fn, self) {
    const made = {}
    each(keysOf(object), (name) => put(made, name, kit.apply(fn, self, [object[name], name, object])))
    return made
  }
  objectMap.asArray = function asArray (object, fn, self) {
    return map(keys(object), (name) => kit.apply(fn, self, [object[name], name, object]))
  }

  function objectReduce (object, fn, initial) {
    let result = initial
    each(keysOf(object), (name) => { result = kit.apply(fn, undefined, [result, object[name], name, object]) })
    return result
  }

  function assign (target, ...sources) {
    each(sources, (source) => each(keysOf(source), (name) => { target[name] = source[name] }))
    return target
  }

  function pick (object, names) {
    const made = {}
    each(names, (name) => { if (isObject(object) && name in object) put(made, name, object[name]) })
    return made
  }

  // 'a.b.0' -> its names, one after the other
  function eachStep (path, visit) {
    let rest = kit.String(path)
    for (;;) {
      const dot = kit.indexOf(rest, '.')
      if (!visit(dot < 0 ? rest : kit.slice(rest, 0, dot), dot < 0) || dot < 0) return
      rest = kit.slice(rest, dot + 1)
    }
  }

  function get (object, path) {
    let value = object
    eachStep(path, (name) => {
      value = value === undefined || value === null ? undefined : value[name]
      return value !== undefined
    })
    return value
  }

  function set (object, path, value) {
    let holder = object
    eachStep(path, (name, isLast) => {
      if (isLast) holder[name] = value
      else if (!isObject(holder[name])) holder[name] = {}
      holder = holder[name]
      return true
    })
    return object
  }

  const isMatch = (object, wanted) => every(keys(wanted), (name) => object[name] === wanted[name])

  function debounce (fn, wait) {
    let timer = null
    return function (...args) {
      if (timer !== null) kit.clearTimer(timer)
      timer = kit.startTimer(() => kit.apply(fn, this, args), wait)
    }
  }

  function throttle (fn, wait) {
    let calledAt = -Infinity
    let result
    return function (...args) {
      if (kit.now - calledAt < wait) return result
      calledAt = kit.now
      result = kit.apply(fn, this, args)
      return result
    }
  }

  kit.slapdash = {
    assign: assign,
    bind: bind,
    debounce: debounce,
    each: each,
    every: every,
    filter: filter,
    find: find,
    get: get,
    identity: (value) => value,
    indexOf: indexOf,
    invoke: invoke,
    isArray: (value) => kit.isArray(value),
    isMatch: isMatch,
    isObject: isObject,
    keys: keys,
    map: map,
    matches: (wanted) => (object) => isMatch(object, wanted),
    not: (value) => !value,
    objectEach: objectEach,
    objectMap: objectMap,
    objectReduce: objectReduce,
    pick: pick,
    pluck: pluck,
    reduce: reduce,
    set: set,
    slice: slice,
    some: some,
    throttle: throttle,
    unique: unique,
    values: values
  }
})
