// The kit: what the prelude needs of the language, captured before any guest code runs.
//
// Every prelude file is one function of the kit. Guest code may later replace or poison anything that is
// reachable from its globals, so prelude code calls only what stands here, keeps its own records on objects
// without a prototype, and never assigns to an array index (a setter on Array.prototype would see it).
(function (kit) {
  'use strict'
  const apply = Reflect.apply
  const method = (fn) => (self, ...args) => apply(fn, self, args)

  kit.global = globalThis
  kit.method = method
  kit.functionPrototype = Function.prototype
  kit.apply = apply
  kit.construct = Reflect.construct
  kit.Object = Object
  kit.Promise = Promise
  kit.Error = Error
  kit.TypeError = TypeError
  kit.SyntaxError = SyntaxError
  kit.Date = Date
  kit.keys = Object.keys
  kit.create = Object.create
  kit.define = Object.defineProperty
  kit.descriptor = Object.getOwnPropertyDescriptor
  kit.prototypeOf = Object.getPrototypeOf
  const toPrimitive = Symbol.toPrimitive
  kit.primitive = function (value) {
    const convert = value[toPrimitive]
    if (typeof convert === 'function') return apply(convert, value, ['default'])
    const plain = value.valueOf()
    return typeof plain === 'object' ? value.toString() : plain
  }
  kit.isArray = Array.isArray
  kit.isFinite = Number.isFinite
  kit.quote = JSON.stringify
  kit.parse = JSON.parse
  kit.String = String
  kit.Number = Number
  kit.slice = method(String.prototype.slice)
  kit.upper = method(String.prototype.toUpperCase)
  kit.charCode = method(String.prototype.charCodeAt)
  kit.indexOf = method(String.prototype.indexOf)
  kit.objectPrototype = Object.prototype
  kit.arrayPrototype = Array.prototype
  kit.promisePrototype = Promise.prototype
  kit.queueMicrotask = queueMicrotask
  kit.WeakSet = WeakSet
  kit.setAdd = method(WeakSet.prototype.add)
  kit.setHas = method(WeakSet.prototype.has)
  kit.Map = Map
  kit.Set = Set
  kit.mapSet = method(Map.prototype.set)
  kit.mapDelete = method(Map.prototype.delete)
  kit.mapSize = method(Object.getOwnPropertyDescriptor(Map.prototype, 'size').get)
  kit.mapEach = method(Map.prototype.forEach)
  kit.numberText = method(Number.prototype.toString)
  kit.sourceOf = method(Function.prototype.toString)
  const exec = method(RegExp.prototype.exec) // not test(), which calls whatever exec is by then
  kit.matches = (pattern, text) => exec(pattern, text) !== null
  kit.stackOf = method(Object.getOwnPropertyDescriptor(Error.prototype, 'stack').get)
  // `instanceof` would ask the class's own Symbol.hasInstance, which a guest may put there
  const isInstance = method(Function.prototype[Symbol.hasInstance])
  const RealRegExp = RegExp
  kit.isRegExp = (value) => isInstance(RealRegExp, value)
  kit.isError = (value) => isInstance(kit.Error, value)
  kit.push = (array, value) => kit.define(array, array.length, {
    __proto__: null, value: value, writable: true, enumerable: true, configurable: true
  })
  kit.setPrototype = Object.setPrototypeOf
  kit.record = (fields) => kit.setPrototype(fields, null)

  // A queue of values: a linked list, so that no guest-visible array is ever indexed.
  kit.queue = function () {
    let first = null
    let last = null
    return kit.record({
      put (value) {
        const node = { __proto__: null, value: value, next: null }
        if (last === null) first = node
        else last.next = node
        last = node
      },
      take () {
        const node = first
        first = node.next
        if (first === null) last = null
        return node.value
      },
      each (visit) {
        for (let node = first; node !== null; node = node.next) visit(node.value)
      },
      isEmpty: () => first === null,
      drop (value) {
        let before = null
        for (let node = first; node !== null; before = node, node = node.next) {
          if (node.value !== value) continue
          if (before === null) first = node.next
          else before.next = node.next
          if (last === node) last = before
          return
        }
      }
    })
  }
  kit.hidden = (target, name, value) => kit.define(target, name, {
    __proto__: null, value: value, writable: true, enumerable: false, configurable: true
  })

  // A hook that is handed the functions on the stack would hand out the prelude's own.
  kit.define(Error, 'prepareStackTrace', { __proto__: null, value: undefined, writable: false, configurable: false })

  // The engine calls a finalizer with nobody to catch what it throws.
  const Registry = FinalizationRegistry
  const Guarded = function FinalizationRegistry (cleanup) {
    if (new.target === undefined || typeof cleanup !== 'function') throw new kit.TypeError('a FinalizationRegistry is made with new, of a function')
    return kit.construct(Registry, [(held) => kit.guarded('finalizer', cleanup, [held])], new.target)
  }
  kit.define(Guarded, 'prototype', { __proto__: null, value: Registry.prototype, writable: false })
  kit.hidden(Registry.prototype, 'constructor', Guarded)
  kit.hidden(globalThis, 'FinalizationRegistry', Guarded)

  // The code of the first limit that a prelude part noticed: this run has no next task.
  kit.limit = null
  kit.phase = 'running' // 'describing' while a thrown value is read: it may be hostile
})
