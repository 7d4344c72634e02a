// Reach: attempts to get at the prelude's own functions. A body that finds something throws 'reached'.

//= ran: the hook that is given the stack
try { Error.prepareStackTrace = (e, frames) => { throw new Error('reached') } } catch (e) {} try { null.x } catch (e) { e.stack }
//= script_error|ran: the hook put there by defineProperty
try { Object.defineProperty(Error, 'prepareStackTrace', { value: () => { leaked = 1 } }) } catch (e) {} new Error('x').stack; if (globalThis.leaked) throw new Error('reached')
//= ran: the hook on a subclass
class E extends Error { static prepareStackTrace () { leaked = 1; return [] } } new E('x').stack; E.captureStackTrace && E.captureStackTrace({}); if (globalThis.leaked) throw new Error('reached')
//= ran: captureStackTrace with getters
const o = { get stack () { return 1 } }; Error.captureStackTrace && Error.captureStackTrace(o, o); Error.stackTraceLimit = 1e9; new Error('x').stack; Error.stackTraceLimit = -1; new Error('x').stack; Error.stackTraceLimit = { valueOf () { leaked = 1; return 5 } }; new Error('x').stack
//= ran: the stack as text names no function of ours with a body
options.uv.on('a', () => { if (/kit|prelude|function \(/.test(new Error('x').stack)) throw new Error('reached') }); options.uv.emit('a')
//= ran: the caller of a callback
let c; function spy () { try { c = spy.caller } catch (e) {} } options.uv.on('a', spy); options.uv.emit('a'); if (typeof c === 'function') throw new Error('reached')
//= ran: the caller through arguments
let c; function spy () { try { c = arguments.callee.caller } catch (e) {} } options.uv.on('a', spy); options.uv.emit('a'); if (typeof c === 'function') throw new Error('reached')
//= ran: the arguments of a function of ours
for (const f of [options.log.info, options.uv.emit, echo.schedule, setTimeout, require]) for (const n of ['caller', 'arguments']) { let v; try { v = f[n] } catch (e) {} if (v != null) throw new Error('reached') }
//= ran: this in a callback is nothing of ours
const bad = []; const look = function () { 'use strict'; if (this !== undefined) bad.push(this) }; setTimeout(look); queueMicrotask(look); options.uv.on('a', look); options.uv.emit('a'); setTimeout(() => { if (bad.length) throw new Error('reached') }, 5)
//= ran: sloppy this in a callback is the global
setTimeout(function () { if (this !== globalThis) throw new Error('reached') }, 1)
//= ran: all descriptors of everything
const seen = new Set(); const walk = (o, path) => { if ((typeof o !== 'object' && typeof o !== 'function') || o === null || seen.has(o)) return; seen.add(o); for (const k of Reflect.ownKeys(o)) { if (k === 'kit' || k === 'texts' || k === 'inFlight' || k === 'functionPrototype') throw new Error('reached ' + path); let d; try { d = Object.getOwnPropertyDescriptor(o, k) } catch (e) { continue } if (d) { walk(d.value, path + '.' + String(k)); walk(d.get, path); walk(d.set, path) } } walk(Object.getPrototypeOf(o), path + '^') }; walk(globalThis, ''); walk(options, 'options'); walk(echo, 'echo'); walk(require, 'require')
//= ran: the sources of our functions
for (const f of [options.log.info, options.uv.emit, echo.schedule, setTimeout, require, Math.random]) Function.prototype.toString.call(f)
//= ran: no global of an engine's shell
for (const n of ['kit', 'std', 'os', 'bjson', 'scriptArgs', 'print', 'process', 'module', 'fetch', 'WebAssembly', 'Worker', 'gc', 'navigator', 'loadScript', '__loadScript']) if (n in globalThis) throw new Error('reached ' + n)
//= ran: the Function constructor sees the global scope only
if (new Function('return typeof kit + typeof options + typeof module')() !== 'undefinedundefinedundefined') throw new Error('reached')
//= ran: indirect eval sees the global scope only
if ((0, eval)('typeof kit + typeof options') !== 'undefinedundefined') throw new Error('reached')
//= ran: constructors through literals see the global scope only
for (const f of [async () => {}, function* () {}, async function* () {}]) f.constructor('return typeof kit')
//= ran: a proxied function is called in place of ours
const seen = []; const spy = new Proxy(function () {}, { apply (t, self, args) { seen.push(self, ...args) } }); setTimeout(spy, 1, 'a'); options.uv.on('a', spy); options.uv.emit('a'); setTimeout(() => { for (const s of seen) if (typeof s === 'function') throw new Error('reached') }, 5)
//= ran: species on everything
for (const C of [Array, Promise, RegExp, Map, Set, ArrayBuffer]) Object.defineProperty(C, Symbol.species, { value: function () { leaked = arguments; return [] } }); echo.cancel({ key: 'a' }); console.log([1], { a: [1] }); if (globalThis.leaked) throw new Error('reached')
//= ran: hasInstance on everything
for (const C of [Object, Array, Error, RegExp, Date, Promise, TypeError]) Object.defineProperty(C, Symbol.hasInstance, { value (v) { leaked = v; return true } }); delete globalThis.leaked; console.log(1, { a: 1 }); console.error([1]); options.uv.on(/a/, () => 1); options.uv.emit('a'); new Date({}); echo.cancel({ key: 'a' }); if (globalThis.leaked) throw new Error('reached')
//= ran: toPrimitive on everything
for (const C of [Object, Array, Function, Date, RegExp, Number, String]) { try { Object.defineProperty(C.prototype, Symbol.toPrimitive, { value () { return 'x' } }) } catch (e) {} } console.log([1], { a: 1 }); echo.cancel({ key: 'a' }); setTimeout(() => 1, {})
//= ran: constructor of a promise of ours
const p = echo.cancel({ key: 'a' }); const seen = []; p.constructor = { [Symbol.species]: function (f) { seen.push(f); f(() => 1, () => 1) } }; p.then(() => 1); for (const f of seen) if (/kit/.test(String(f))) throw new Error('reached'); await 1
//= ran: then of Promise.prototype is not what ours call
let n = 0; const then = Promise.prototype.then; Promise.prototype.then = function (...a) { n++; return then.apply(this, a) }; const p = echo.cancel({ key: 'a' }); await p; if (n) throw new Error('reached')
//= ran: getters on the prototypes of our records
for (const n of ['text', 'path', 'what', 'kind', 'value', 'next', 'up', 'fn', 'exports', 'resolve', 'reject', 'self', 'pattern', 'once', 'gone', 'every', 'at', 'type', 'data', 'ok']) Object.defineProperty(Object.prototype, n, { __proto__: null, configurable: true, set (v) { throw new Error('reached ' + n) } }); options.uv.emit('a', {}); setTimeout(() => 1); console.log(1, { a: 1 }); echo.cancel({ key: 'a' })
//= ran: setters on the indices of all lists
for (let i = 0; i < 99; i++) Object.defineProperty(Array.prototype, i, { configurable: true, set (v) { throw new Error('reached ' + i) } }); options.uv.emit('a'); setTimeout(() => 1, 1, 2, 3); console.log(1, 2, { a: 1 }); echo.cancel({ key: 'a' })
//= ran: a generator that holds a frame of ours
const g = (function* () { options.uv.on('a', () => { try { g.next() } catch (e) {} }); yield options.uv.emit('a') })(); g.next()
//= ran: a hostile this for our functions
for (const f of [options.log.info, options.uv.emit, options.state.set, setTimeout, clearTimeout, Math.random, performance.now]) for (const t of [null, globalThis, new Proxy({}, {}), f]) try { f.call(t, 'x', () => 1) } catch (e) { if (/kit/.test(e.message)) throw new Error('reached') }
//= invalid_parameter: our functions as constructors
for (const f of [options.log.info, options.uv.emit, echo.cancel, setTimeout, Math.random]) try { Reflect.construct(f, [() => 1], new Proxy(function () {}, {})) } catch (e) {}
//= ran: the real Date through every door
for (const D of [new Date().constructor, Date.prototype.constructor, Object.getPrototypeOf(new (class extends Date {})()).constructor.__proto__]) if (D !== Date || D.now() !== Date.now()) throw new Error('reached')
//= ran: the real clock
const a = performance.now(); for (let i = 0; i < 1e5; i++); if (performance.now() !== a || Date.now() !== +new Date()) throw new Error('reached')
//= ran: the real FinalizationRegistry
if (FinalizationRegistry.prototype.constructor !== FinalizationRegistry) throw new Error('reached'); class R extends FinalizationRegistry {} if (!(new R(() => 1) instanceof R)) throw new Error('x')
//= ran: chance, deleted and put back
const r = Math.random; delete Math.random; if (Math.random) throw new Error('reached'); Math.random = r; for (let i = 0; i < 99; i++) if (!(r() >= 0 && r() < 1)) throw new Error('x')
