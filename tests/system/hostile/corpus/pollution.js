// Pollution: each body spoils the language; a right schedule call follows, whose request must be exact.

//= nothing
//= setters on the indices of Array.prototype
for (let i = 0; i < 50; i++) Object.defineProperty(Array.prototype, i, { set (v) { throw 1 }, get () { return 'p' } })
//= setters on Object.prototype
for (const n of ['text', 'value', 'kind', 'id', 'code', 'next', 'up', 'resolve', 'path', 'get', 'set', 'writable', 'enumerable', 'configurable', 'delay', 'key', 'time', 'window', 'a', 'left', 'depth', 'inArray', 'name', 'length']) Object.defineProperty(Object.prototype, n, { __proto__: null, set (v) { throw 1 }, get () { return 'p' }, configurable: true })
//= plain values on Object.prototype
for (const n of ['delay', 'key', 'time', 'window', 'cancelOnConversion', 'ifExists', 'scope', 'a', 'extra', 'text']) Object.prototype[n] = 'p'
//= toJSON on every prototype
for (const C of [Object, Array, String, Number, Boolean, Function, Symbol]) C.prototype.toJSON = () => 'stolen'
//= Promise
globalThis.Promise = null
//= the Promise's own functions
for (const n of ['resolve', 'reject', 'all', 'race']) Promise[n] = () => { throw 1 }; Promise.prototype.then = Promise.prototype.catch = Promise.prototype.finally = () => { throw 1 }
//= JSON
JSON.stringify = () => 'stolen'; JSON.parse = () => ({}); globalThis.JSON = null
//= Reflect
for (const n of Reflect.ownKeys(Reflect)) try { Reflect[n] = () => 'stolen' } catch (e) {} globalThis.Reflect = null
//= Object
for (const n of Object.getOwnPropertyNames(Object)) if (n !== 'prototype') try { Object[n] = () => null } catch (e) {}
//= Function.prototype
Function.prototype.apply = Function.prototype.call = Function.prototype.bind = Function.prototype.toString = () => 'stolen'
//= Function.prototype's hasInstance and toPrimitive
for (const s of [Symbol.hasInstance, Symbol.toPrimitive]) try { Object.defineProperty(Function.prototype, s, { value: () => { throw 1 } }) } catch (e) {}
//= iteration
Array.prototype[Symbol.iterator] = String.prototype[Symbol.iterator] = Map.prototype[Symbol.iterator] = function* () { yield 'stolen' }; Object.getPrototypeOf([][Symbol.iterator]()).next = () => ({ done: false, value: 'stolen' })
//= the prototype of iterators
Object.getPrototypeOf(Object.getPrototypeOf([].keys())).next = () => { throw 1 }; Object.getPrototypeOf([].keys()).next = () => ({ done: true })
//= String.prototype
for (const n of Object.getOwnPropertyNames(String.prototype)) if (n !== 'length' && n !== 'constructor') String.prototype[n] = () => 'stolen'
//= Array.prototype
for (const n of Object.getOwnPropertyNames(Array.prototype)) if (n !== 'length' && n !== 'constructor') Array.prototype[n] = () => 'stolen'
//= Number.prototype and Number
for (const n of Object.getOwnPropertyNames(Number.prototype)) if (n !== 'constructor') Number.prototype[n] = () => 'stolen'; Number.isFinite = Number.isInteger = () => false; isFinite = isNaN = null
//= Boolean.prototype and BigInt.prototype
for (const C of [Boolean, BigInt, Symbol]) for (const n of ['toString', 'valueOf']) C.prototype[n] = () => 'stolen'
//= RegExp.prototype
for (const n of ['exec', 'test', 'compile', Symbol.match, Symbol.replace, Symbol.split]) RegExp.prototype[n] = () => { throw 1 }; for (const n of ['flags', 'source', 'global']) Object.defineProperty(RegExp.prototype, n, { get () { throw 1 } })
//= the lastIndex of every pattern
Object.defineProperty(Object.prototype, 'lastIndex', { get () { throw 1 }, set () { throw 1 } })
//= Array.isArray and species
Array.isArray = () => false; Object.defineProperty(Array, Symbol.species, { value: null }); globalThis.Array = null
//= Symbol.isConcatSpreadable
Array.prototype[Symbol.isConcatSpreadable] = false; Object.prototype[Symbol.isConcatSpreadable] = true
//= Symbol
globalThis.Symbol = { iterator: 'x', toPrimitive: 'y' }
//= toPrimitive, toString and valueOf of all objects
Object.prototype[Symbol.toPrimitive] = () => 'stolen'; Object.prototype.toString = Object.prototype.valueOf = () => 'stolen'
//= toStringTag and unscopables
Object.prototype[Symbol.toStringTag] = 'stolen'; Object.prototype[Symbol.unscopables] = { a: true }
//= Error
Error.captureStackTrace = null; Error.prototype.name = 'stolen'; Error.prototype.toString = () => { throw 1 }; Object.defineProperty(Error.prototype, 'stack', { get () { throw 1 } }); globalThis.Error = null
//= every error class
for (const n of ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'InternalError']) globalThis[n] = function () { throw 1 }
//= hasInstance of Error
Object.defineProperty(Error, Symbol.hasInstance, { value: () => true })
//= eval and Function
globalThis.eval = () => 'stolen'; globalThis.Function = null
//= Math and Date
Math.random = Math.floor = () => { throw 1 }; for (const n of Object.getOwnPropertyNames(Date.prototype)) Date.prototype[n] = () => { throw 1 }; Date.now = () => 0; globalThis.Date = null
//= timers and microtasks
setTimeout = setInterval = clearTimeout = queueMicrotask = () => { throw 1 }
//= console
console.log = console.info = console.error = () => { throw 1 }; globalThis.console = null
//= options itself
options.meta = options.log = null; for (const n of Object.keys(options)) if (n !== 'integration') try { options[n] = null } catch (e) {}
//= the prototype of Object.prototype's own functions
Object.prototype.__defineGetter__ = Object.prototype.hasOwnProperty = Object.prototype.propertyIsEnumerable = () => { throw 1 }
//= __proto__ replaced
Object.defineProperty(Object.prototype, '__proto__', { get () { throw 1 }, set () { throw 1 } })
//= constructor everywhere
for (const C of [Object, Array, Promise, Error, Function]) try { Object.defineProperty(C.prototype, 'constructor', { value: undefined }) } catch (e) {}
//= the prototypes' own prototypes
Object.setPrototypeOf(Array.prototype, null); Object.setPrototypeOf(Promise.prototype, null); Object.setPrototypeOf(Function.prototype, null)
//= frozen everything
for (const n of Object.getOwnPropertyNames(globalThis)) try { Object.freeze(globalThis[n]); Object.freeze(globalThis[n].prototype) } catch (e) {}
//= deleted everything
for (const n of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[n] } catch (e) {}
//= nulled everything
for (const n of Object.getOwnPropertyNames(globalThis)) try { globalThis[n] = null } catch (e) {}
//= emptied prototypes
for (const n of Object.getOwnPropertyNames(globalThis)) { let p; try { p = globalThis[n].prototype } catch (e) {} if (p) for (const k of Object.getOwnPropertyNames(p)) try { delete p[k] } catch (e) {} }
