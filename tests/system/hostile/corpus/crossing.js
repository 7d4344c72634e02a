// What crosses: thrown values, payloads, options, answers, log, events; floods of each.

//= script_error: an object with a hostile toString is thrown
throw { toString () { while (true) {} } }
//= script_error: an error whose message is a getter that loops
throw Object.defineProperty(new Error(), 'message', { get () { while (true) {} } })
//= script_error: an error whose stack is a getter that loops
throw Object.defineProperty(new Error('x'), 'stack', { get () { while (true) {} } })
//= script_error: an error whose code is a getter that throws itself
const e = new Error('x'); Object.defineProperty(e, 'code', { get () { throw e } }); throw e
//= script_error: an error whose name is a list of a million
throw Object.defineProperty(new Error('x'), 'name', { value: new Array(1e6) })
//= script_error: an error whose message is 20 million letters
const e = new Error('x'); e.message = 'x'.repeat(2e7); throw e
//= script_error: a proxy whose every trap loops is thrown
throw new Proxy({}, { get () { for (;;) {} }, getPrototypeOf () { for (;;) {} }, ownKeys () { for (;;) {} }, getOwnPropertyDescriptor () { for (;;) {} } })
//= script_error: a proxy whose traps throw is thrown
throw new Proxy({}, { getPrototypeOf () { throw 1 }, get () { throw 2 } })
//= script_error: a revoked proxy is thrown
const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy
//= script_error: a revoked function proxy is thrown
const { proxy, revoke } = Proxy.revocable(function () {}, {}); revoke(); throw proxy
//= script_error: null is thrown
throw null
//= script_error: undefined is thrown
throw undefined
//= script_error: a symbol is thrown
throw Symbol('x')
//= script_error: a BigInt of many digits is thrown
throw 10n ** 20000n
//= script_error: half a surrogate pair is thrown
throw new Error('\ud800')
//= script_error: a NUL is thrown
throw new Error('a\0b')
//= script_error: a function with a hostile name is thrown
throw Object.defineProperty(() => 1, 'name', { get () { for (;;) {} } })
//= script_error: an error of another class with a hostile constructor
class E extends Error { get [Symbol.toStringTag] () { for (;;) {} } } Object.defineProperty(E.prototype, 'constructor', { get () { for (;;) {} } }); throw new E('x')
//= script_error: an AggregateError of itself
const e = new AggregateError([], 'x'); e.errors.push(e); e.cause = e; throw e
//= script_error: a forged limit is thrown
const e = new InternalError('interrupted'); e.code = 'limit_wall'; throw e
//= script_error: a forged code is thrown
throw Object.assign(new Error('x'), { code: 'internal_error' })
//= script_error: a rejection with a hostile value
return Promise.reject({ get then () { for (;;) {} }, toJSON () { for (;;) {} } })
//= script_error|limit_cpu: a thenable that throws a proxy that loops
return { then () { throw new Proxy({}, { ownKeys () { for (;;) {} } }) } }
//= ran: a thenable that answers twice and then throws
return { then (a, b) { a(1); b(2); a(3); throw 4 } }
//= ran: a thenable that never answers
return { then () {} }
//= limit_cpu: a thenable whose then is a getter that loops
return { get then () { for (;;) {} } }
//= script_error: a microtask throws
queueMicrotask(() => { throw new Error('m') })
//= script_error: a finalizer throws
kept = new FinalizationRegistry(() => { throw new Error('f') }); kept.register({}, 1)
//= script_error: a finalizer throws null
kept = new FinalizationRegistry(() => { throw null }); kept.register({}, 1)
//= script_error: a finalizer throws what cannot be read
kept = new FinalizationRegistry(() => { throw { toString () { for (;;) {} } } }); kept.register({}, 1)
//= limit_cpu: a payload's getter
echo.schedule({ get a () { for (;;) {} } }, { delay: 1 })
//= limit_cpu: a payload's toJSON
echo.schedule({ toJSON () { for (;;) {} } }, { delay: 1 })
//= limit_cpu: a payload's ownKeys
echo.schedule(new Proxy({}, { ownKeys () { for (;;) {} } }), { delay: 1 })
//= limit_cpu: an option's getter
echo.schedule({}, { get delay () { for (;;) {} } })
//= limit_cpu: a default's getter
options.integration('echo', { get key () { for (;;) {} } })
//= limit_cpu|script_error: the name of an integration
options.integration({ toString () { for (;;) {} }, toJSON () { for (;;) {} } })
//= invalid_payload: a payload whose getter throws
await echo.schedule({ get a () { throw new Proxy({}, {}) } }, { delay: 1 })
//= invalid_payload: a payload of toJSON upon toJSON
const t = () => ({ toJSON: t }); await echo.schedule(t(), { delay: 1 })
//= invalid_payload: a payload in a cycle through toJSON
const a = {}; a.b = { toJSON: () => a }; await echo.schedule(a, { delay: 1 })
//= invalid_payload: a payload nested too deep
let a = 1; for (let i = 0; i < 1e4; i++) a = { a }; await echo.schedule(a, { delay: 1 })
//= limit_cpu|limit_memory|payload_too_large: a payload of a list without end
await echo.schedule(new Array(2 ** 32 - 1), { delay: 1 })
//= limit_cpu|payload_too_large: a payload of a proxied list that lies about its length
await echo.schedule(new Proxy([], { get: (t, n) => n === 'length' ? 2 ** 53 : 1 }), { delay: 1 })
//= limit_cpu|payload_too_large: a payload that grows while it is read
const a = [1]; Object.defineProperty(a, 0, { get () { a.push(1); return 1 } }); const o = { get a () { o['x' + Math.random()] = 1; return a } }; await echo.schedule([o, new Proxy([], { get: (t, n) => n === 'length' ? { valueOf: () => 2 ** 53 } : 1 })], { delay: 1 })
//= payload_too_large: an oversized payload
await echo.schedule('x'.repeat(300000), { delay: 1 })
//= payload_too_large: an oversized payload of many members
const o = {}; for (let i = 0; i < 3e4; i++) o['member' + i] = i; await echo.schedule(o, { delay: 1 })
//= limit_memory|payload_too_large: a payload larger than the outbox
await echo.schedule('\0'.repeat(5e6), { delay: 1 })
//= invalid_payload: a payload of NaN
await echo.schedule({ a: [NaN] }, { delay: 1 })
//= ran|script_error stored=1: a payload of half a surrogate pair
await echo.schedule({ a: '\ud800' }, { delay: 1 })
//= ran|script_error stored=1: a name of half a surrogate pair
await echo.schedule({ '\udc00': 1 }, { delay: 1 })
//= ran|script_error stored=1: a key of half a surrogate pair
await echo.schedule({}, { delay: 1, key: { a: '\ud83d' } })
//= ran stored=1: a payload with a NUL, a line separator and an emoji
await echo.schedule({ 'a\0b': '\u2028\0😀\u202e' }, { delay: 1, key: 'a\u2029' })
//= ran stored=1: a payload with __proto__ and constructor as names
await echo.schedule(JSON.parse('{"__proto__": {"a": 1}, "constructor": {"prototype": 2}, "toString": 3}'), { delay: 1 })
//= ran|script_error: a key of huge numbers
for (const key of [1e308, -0, 2 ** 53 + 2, 5e-324]) await echo.cancel({ key }).catch(e => { if (e.code !== 'invalid_key') throw e })
//= invalid_delay: a delay that is a hostile object
await echo.schedule({}, { delay: { valueOf: () => 1, toJSON: () => ({ a: [1] }) } })
//= invalid_delay: a delay of 100,000 digits
await echo.schedule({}, { delay: '9'.repeat(1e5) })
//= invalid_delay: a delay for a slow pattern
await echo.schedule({}, { delay: '1 '.repeat(40) + 'h' })
//= invalid_time: a time of 100,000 characters
await echo.schedule({}, { time: '2026-01-01T' + '0'.repeat(1e5) })
//= invalid_window: a window of a thousand days
await echo.schedule({}, { delay: 1, window: { day: 'monday,'.repeat(1000) } })
//= invalid_window: a window for a zone outside the tables
await echo.schedule({}, { delay: 1, window: { timezone: '../../../../etc/passwd' } })
//= invalid_key: a key that is a proxy of a list
await echo.schedule({}, { delay: 1, key: new Proxy([], {}) })
//= invalid_parameter: a reason that is a megabyte
await echo.cancel({ key: 'a', reason: 'x'.repeat(1e6) })
//= not_linked: a name of an integration with everything in it
options.integration('\0\ud800"\\\n{}</script>' + 'x'.repeat(1e6))
//= invalid_delay: a forged answer through the promise's resolver
const real = Promise; let take; globalThis.Promise = function (f) { return new real((a, b) => { take = a; f(a, b) }) }; const p = echo.schedule({}, { delay: NaN }); if (take) take({ id: 'forged' }); await p
//= ran stored=1: Object.prototype.then sees an answer and cannot change what is stored
Object.defineProperty(Object.prototype, 'then', { configurable: true, get () { delete Object.prototype.then; return undefined } }); await echo.schedule({ a: 1 }, { delay: 1 })
//= ran|limit_cpu stored=1: a then on all objects that swallows the answer
Object.prototype.then = function () {}; echo.schedule({ a: 1 }, { delay: 1 })
//= ran stored=1: the answer is frozen and written to
const a = await echo.schedule({ a: 1 }, { delay: 1 }); Object.freeze(a); a.id = 'x'; delete a.key
//= ran: forged kinds in what is logged
console.log('","kind":"call","id":1,"verb":"schedule"', { kind: 'call', id: 1, verb: 'schedule', integration: 'echo', payload: { text: '1' } })
//= ran: forged kinds in an event
options.uv.emit('x"},{"kind":"call"', { kind: 'call', '"}],"limit":"limit_cpu': 1 })
//= ran: lone surrogates and NULs in a log
console.log('\ud800', '\0', { '\udfff': '\ud800\0' }); options.log('\ud800\0').info(1)
//= ran: lone surrogates and NULs in events
options.uv.emit('\ud800\0', { '\udfff': '\ud800\0' })
//= limit_cpu: a log of a getter that loops
console.log({ get a () { for (;;) {} } }, {})
//= ran: a log of getters that throw
console.log({ get a () { throw 1 } }, new Proxy({}, { ownKeys () { throw 2 } })); console.error(Object.defineProperty(new Error(), 'message', { get () { throw 1 } }))
//= ran: a log of everything there is
for (const n of Object.getOwnPropertyNames(globalThis)) console.log(n, globalThis[n], { v: globalThis[n] })
//= ran|limit_cpu: a log of a list without end
console.log(new Array(2 ** 32 - 1), { a: new Array(2 ** 32 - 1) })
//= limit_log|limit_cpu|limit_memory: a log whose metadata grows
let a = []; for (;;) { a = [a, a]; console.log('x', { a }) }
//= limit_log|limit_cpu: a flood of log
for (;;) options.log.info('x'.repeat(1000))
//= limit_log|limit_cpu: a flood of empty lines
for (;;) console.log()
//= limit_log|limit_cpu: a flood that is caught
for (;;) try { console.log('x'.repeat(1000)) } catch (e) {}
//= limit_log|limit_cpu: a flood of characters that grow when written
for (;;) console.log('\0'.repeat(16000))
//= limit_log|limit_cpu: a flood of child names
for (;;) options.log('x'.repeat(100))('y'.repeat(100)).info()
//= limit_calls|limit_log|limit_cpu|limit_wall: a flood of rejections
for (;;) { await echo.schedule({}, {}).catch(() => 1) }
//= limit_calls: a flood of calls
for (;;) echo.schedule({}, { delay: 1000 })
//= limit_calls: a flood of calls that is caught
for (;;) try { echo.cancel({ key: 'a' }) } catch (e) {}
//= limit_calls|limit_memory|limit_cpu: a flood of calls with payloads
for (;;) echo.schedule('x'.repeat(2e5), { delay: 1000 })
//= limit_calls|limit_memory|limit_cpu: a flood of calls that ask themselves again
(function again () { echo.cancel({ key: 'a' }).then(again, again); echo.cancel({ key: 'a' }).then(again, again) })()
//= limit_events: a flood of events
for (;;) options.uv.emit('x', { a: 1 })
//= limit_events: an outbox flood of large events
for (;;) options.uv.emit('x', { a: 'é'.repeat(10000) })
//= limit_cpu|limit_memory: an outbox flood of small lists
const a = new Array(1000).fill([]); for (;;) options.uv.emit('x', { a })
//= limit_events: an event that emits itself
options.uv.on('x', () => options.uv.emit('x')); options.uv.emit('x')
//= limit_memory|limit_cpu|script_error: an event that listens again and replays
options.uv.emit('x'); (function again () { options.uv.on('x', again).replay() })()
//= limit_cpu: an event pattern that never ends
options.uv.on(/^(a+)+$/, () => 1); options.uv.emit('a'.repeat(40) + 'b')
//= script_error: a listener that throws hostile values
options.uv.on('x', () => { throw new Proxy({}, { getPrototypeOf () { throw 1 } }) }); options.uv.on('x', () => { throw null }); options.uv.emit('x')
//= ran stored=500: 500 calls in flight
for (let i = 0; i < 500; i++) echo.schedule({ i }, { delay: 1000, key: { i } })
//= ran stored=500: 500 calls in flight, awaited together
await Promise.all(Array.from({ length: 500 }, (x, i) => echo.schedule({ i }, { delay: 1000 })))
//= script_error stored=9: calls before a throw are carried out
for (let i = 0; i < 9; i++) echo.schedule({ i }, { delay: 1000 }); throw 1
//= limit_cpu: calls before a limit are not
for (let i = 0; i < 9; i++) echo.schedule({ i }, { delay: 1000 }); for (;;) {}
//= script_error: Atomics.wait
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
//= script_error|ran: Atomics.wait with a timeout
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1e9)
//= script_error|ran: Atomics.waitAsync and the rest
const v = new Int32Array(new SharedArrayBuffer(4)); Atomics.notify(v, 0); Atomics.add(v, 0, 1); const w = Atomics.waitAsync(v, 0, 1, 10)
//= script_error|limit_wall: Atomics.pause and isLockFree
Atomics.pause(2 ** 31); Atomics.isLockFree({ valueOf () { throw 1 } })
//= script_error: import of a module
await import('fs')
//= script_error: import of a file
await import('/etc/passwd')
//= script_error: import of a hostile name
await import({ toString () { throw new Error('x') } })
//= script_error|ran: import in eval and in Function
try { await eval("import('os')") } catch (e) {} await new Function("return import('std')")()
//= module_not_found: require of a path outside
require('../../../etc/passwd')
//= module_not_found: require of a hostile name
require({ toString () { for (;;) {} } })
//= module_not_found: require of __proto__
require('__proto__')
//= module_not_found: require of ./__proto__
require('./__proto__')
//= module_not_found: require of ./constructor.json
require('./constructor.json')
//= script_error|ran: arguments and its aliases
(function (a) { arguments[0] = 2; arguments.length = 2 ** 32; delete arguments[0]; Array.prototype.push.call(arguments, 1); return a + arguments.callee })(1)
//= ran: var and function tricks in blocks
{ function f () {} } var f; if (1) function g () {} undefined = 1; NaN = 2; Infinity = 3; var eval = 1, arguments = 2
//= ran: a label, a comma and a delete
a: b: c: { break a } delete globalThis.Error; delete Object.prototype.toString; (0, eval)('var z = 1'); delete z
//= ran: Function.prototype as a function and as a constructor's prototype
Function.prototype.prototype = Function; Function.prototype(); Object.setPrototypeOf(Function.prototype, null)
