// Bombs: memory, numbers, recursion, nesting.

//= limit_memory: lists
const a = []; for (;;) a.push(new Array(1000).fill(1))
//= limit_memory: lists held by a global
a = []; for (;;) a.push(new Array(1000).fill(1))
//= limit_cpu|limit_memory: small objects
const a = []; for (;;) a.push({})
//= limit_memory|limit_cpu: small objects, caught again and again
for (;;) try { a = []; for (;;) a.push({}, {}, {}) } catch (e) {}
//= limit_memory: strings
const a = []; for (let s = 'x'.repeat(1000); ;) a.push(s += s.slice(0, 1000))
//= script_error|limit_memory: a string that doubles
for (let s = 'x'; ;) s += s
//= limit_memory|script_error: repeat
'x'.repeat(2 ** 30 - 1)
//= script_error: repeat past what a string can be
'xx'.repeat(2 ** 30)
//= limit_memory|script_error: padStart
'x'.padStart(2 ** 30 - 1, 'ab')
//= limit_memory|script_error: padEnd
'x'.padEnd(2 ** 29, 'é')
//= limit_memory|script_error|limit_cpu: replaceAll that multiplies
let s = 'x'.repeat(1e4); for (;;) s = s.replaceAll('x', 'xx')
//= limit_memory|script_error|limit_cpu: replace with the match, many times
let s = 'ab'; for (;;) s = s.replace(/.+/, '$&$&$`$\'')
//= limit_memory|script_error|limit_cpu: join of one long string
new Array(1e5).fill('x'.repeat(1e5)).join()
//= limit_memory|limit_cpu|script_error: split into letters
'x'.repeat(2e7).split('')
//= limit_memory|limit_cpu|script_error: letters spread into arguments
Math.max(...'x'.repeat(1e7))
//= limit_memory|script_error|limit_cpu: apply with a huge list
Math.max.apply(null, { length: 2 ** 31 })
//= limit_memory|script_error|limit_cpu: normalize of a long string
'\ufdfa'.repeat(1e6).normalize('NFKD')
//= limit_memory|script_error|limit_cpu: encodeURIComponent of a long string
encodeURIComponent('é'.repeat(1e7))
//= limit_memory|script_error|limit_cpu: escape of a long string
escape('é'.repeat(1e7))
//= limit_memory|limit_cpu: symbols
const a = []; for (;;) a.push(Symbol('x'.repeat(100)))
//= limit_memory|limit_cpu: symbols of the registry
for (let i = 0; ; i++) Symbol.for('x'.repeat(100) + i)
//= limit_memory: buffers
const a = []; for (;;) a.push(new ArrayBuffer(1e6))
//= limit_memory|script_error: one huge buffer
new ArrayBuffer(1e9)
//= limit_memory|script_error: a buffer longer than memory
new ArrayBuffer(2 ** 53 - 1)
//= limit_memory|script_error: a resizable buffer
new ArrayBuffer(1, { maxByteLength: 2 ** 40 }).resize(2 ** 39)
//= limit_memory|script_error|ran: a shared buffer that grows
const b = new SharedArrayBuffer(1, { maxByteLength: 2 ** 30 }); b.grow(2 ** 30)
//= limit_memory|script_error: shared buffers
const a = []; for (;;) a.push(new SharedArrayBuffer(1e6))
//= limit_memory: typed arrays
const a = []; for (;;) a.push(new Float64Array(1e5))
//= limit_memory|script_error: one huge typed array
new BigUint64Array(2 ** 30)
//= limit_memory|script_error|ran: a view that a transfer takes away
const b = new ArrayBuffer(8); const v = new Uint8Array(b); b.transfer(1e9); v[0] = 1
//= ran|script_error: a buffer that shrinks while it is sorted
const b = new ArrayBuffer(800, { maxByteLength: 800 }); const v = new Float64Array(b); v.sort((x, y) => { b.resize(0); return 1 }); v.fill(2)
//= ran|script_error: a buffer that shrinks while it is copied
const b = new ArrayBuffer(800, { maxByteLength: 800 }); const v = new Uint8Array(b); v.copyWithin(0, { valueOf () { b.resize(8); return 100 } }); v.set({ length: 1, get 0 () { b.resize(0); return 1 } }); v.slice(0, { valueOf () { b.resize(0); return 9 } })
//= ran|script_error: a list that shrinks while it is read
const a = new Array(1000).fill(1); a.map((x, i) => { a.length = 0; return x }); a.concat({ get length () { a.length = 5; return 2 }, [Symbol.isConcatSpreadable]: true }); a.splice({ valueOf () { a.length = 0; return 0 } }, 9)
//= ran|script_error: DataView beyond its end
const d = new DataView(new ArrayBuffer(8)); try { d.setFloat64(2 ** 53 - 1, 1) } catch (e) {} d.getInt32({ valueOf () { return -1 } })
//= limit_memory|limit_cpu: a Map
const m = new Map(); for (let i = 0; ; i++) m.set(i, String(i))
//= limit_memory|limit_cpu: a Set
const m = new Set(); for (let i = 0; ; i++) m.add({ i })
//= limit_cpu|limit_memory: a Map that grows while it is walked
const m = new Map([[0, 0]]); let i = 0; m.forEach(() => { m.set(++i, i) })
//= limit_cpu|limit_memory: a Set that a walk never leaves
const s = new Set([1]); for (const x of s) { s.delete(x); s.add(x) }
//= limit_memory|limit_cpu: a WeakMap of keys that stay
const m = new WeakMap(); const k = []; for (;;) { const o = {}; k.push(o); m.set(o, o) }
//= ran|limit_memory|limit_cpu: many WeakMaps of one key
const k = {}; keep = []; for (let i = 0; i < 5e4; i++) keep.push(new WeakMap([[k, 1]]))
//= ran|limit_memory|limit_cpu: many WeakRefs of one object
const k = {}; keep = []; for (let i = 0; i < 1e5; i++) keep.push(new WeakRef(k))
//= ran|limit_memory|limit_cpu: many finalizers of one object
const k = {}; keep = []; const r = new FinalizationRegistry(() => {}); for (let i = 0; i < 5e4; i++) r.register(k, i); keep.push(k, r)
//= limit_memory|limit_cpu: Object.groupBy into many groups
Object.groupBy({ *[Symbol.iterator] () { for (;;) yield 1 } }, (x, i) => 'g' + i)
//= limit_memory|limit_cpu: closures
const a = []; const f = () => { const x = {}; return () => x }; for (;;) a.push(f())
//= limit_memory|limit_cpu: functions made of text
const a = []; for (;;) a.push(new Function('x'.repeat(1000)))
//= limit_memory|limit_cpu: globals
for (let i = 0; ; i++) globalThis['x' + i] = i
//= limit_memory|limit_cpu: timers
for (let i = 0; ; i++) setTimeout(() => i, i)
//= limit_memory|limit_cpu: timers of huge delays and many arguments
for (;;) setTimeout(() => 1, 2 ** 31 - 1, ...new Array(1000).fill('x'))
//= limit_memory|limit_cpu|script_error: promises that nobody settles
const a = []; for (;;) a.push(new Promise(() => {}))
//= limit_memory|limit_cpu: microtasks that wait
for (;;) queueMicrotask(() => 1)
//= limit_memory|limit_cpu: listeners
for (;;) options.uv.on('x', () => 1)
//= limit_memory|limit_cpu: state
for (let i = 0; ; i++) options.state.set('k' + i, 'x'.repeat(100))
//= limit_memory|limit_cpu: child loggers
let l = options.log; const a = []; for (;;) a.push(l = l('x'.repeat(1000)))
//= limit_cpu|limit_memory|script_error: a BigInt power
2n ** (2n ** 30n)
//= limit_cpu|limit_memory|script_error: a BigInt power tower
let n = 3n; for (;;) n = n ** n
//= limit_cpu|limit_memory|script_error: a BigInt that is squared
let n = 3n; for (;;) n *= n
//= limit_cpu|limit_memory|script_error: a BigInt shift
1n << (2n ** 40n)
//= limit_cpu|limit_memory|script_error: a BigInt in decimal digits
String(7n ** 900000n)
//= limit_cpu|limit_memory|script_error: a BigInt of digits
BigInt('9'.repeat(5e6))
//= limit_cpu|limit_memory|script_error: BigInt.asUintN of many bits
BigInt.asUintN(2 ** 53 - 1, -1n)
//= limit_cpu|limit_memory|script_error: a BigInt division
(7n ** 200000n * 3n ** 200000n) / (5n ** 100000n) % 11n ** 90000n; String(9n ** 300000n)
//= script_error|ran: toFixed and toPrecision of extremes
for (const n of [1e21, 5e-324, 1.7e308]) { n.toFixed(100); n.toPrecision(100); n.toString(36); n.toString(2) }
//= script_error: recursion
(function f () { f() })()
//= script_error: recursion through toString
const a = { toString () { return '' + a } }; String(a)
//= script_error: recursion through a getter
const o = { get a () { return this.a } }; o.a
//= script_error: recursion through a proxy of a proxy
const p = new Proxy({}, { get: (t, n, r) => r[n] }); p.a
//= script_error: recursion through Reflect and a proxy
const p = new Proxy(function () {}, { apply: (t, s, a) => Reflect.apply(p, s, a) }); p()
//= script_error|ran: a deep chain of proxies
let p = {}; for (let i = 0; i < 5e4; i++) p = new Proxy(p, {}); p.a; p.b = 1; Object.keys(p)
//= script_error|ran|limit_cpu: a proxy whose prototype is itself
const p = new Proxy({}, { getPrototypeOf: () => p }); p instanceof Error; Object.prototype.isPrototypeOf.call({}, p)
//= script_error|limit_cpu: a prototype chain that a trap makes endless
const p = new Proxy({}, { getPrototypeOf: () => p }); (function () {}).prototype.isPrototypeOf(p)
//= script_error|ran|limit_cpu: a deep chain of prototypes
let o = {}; for (let i = 0; i < 1e5; i++) o = Object.create(o); o.missing
//= script_error|ran|limit_cpu|limit_memory: a deep chain of bound functions
let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null); f()
//= script_error|ran|limit_cpu: a deep string of concatenations
let s = ''; for (let i = 0; i < 3e4; i++) s = ('abcdefghij' + i) + s + 'x'; s.length; s[5]
//= script_error: recursion through sort
const f = () => [2, 1].sort(f); f()
//= script_error: recursion through replace
const f = () => 'a'.replace(/a/, f); f()
//= script_error: recursion through JSON.stringify
const f = () => JSON.stringify({ toJSON: f }); f()
//= script_error: recursion through JSON.parse
const f = () => JSON.parse('1', f); f()
//= script_error: recursion through a constructor
class A { constructor () { new A() } } new A()
//= script_error|ran: recursion through the parser
const f = n => new Function('return ' + n)(f(n + 1)); f(0)
//= script_error|ran: recursion through eval
const f = () => eval('f()'); f()
//= script_error|ran: recursion that is caught and used again
let n = 0; const f = () => { try { f() } catch (e) { if (n++ < 50) f() } }; f()
//= script_error|limit_cpu|ran: recursion at whose end a call is made
const f = () => { try { f() } catch (e) { echo.cancel({ key: 'k' }).catch(() => 1) } }; f()
//= script_error: a deep list as text
let a = []; for (let i = 0; i < 1e5; i++) a = [a]; JSON.stringify(a)
//= script_error: a deep list, parsed
JSON.parse('['.repeat(1e5) + ']'.repeat(1e5))
//= script_error: a deep object, parsed
JSON.parse('{"a":'.repeat(1e5) + '1' + '}'.repeat(1e5))
//= script_error: brackets for the parser
eval('('.repeat(1e5) + ')'.repeat(1e5))
//= script_error: lists for the parser
eval('['.repeat(1e5) + ']'.repeat(1e5))
//= script_error|limit_cpu|limit_memory: blocks for the parser
eval('{'.repeat(1e5) + '}'.repeat(1e5))
//= script_error|limit_cpu|limit_memory: functions for the parser
eval('(function(){'.repeat(5e3) + '})'.repeat(5e3))
//= script_error|limit_cpu|limit_memory: arrows for the parser
eval('a=>'.repeat(5e4) + '1')
//= script_error|ran|limit_cpu|limit_memory: operators for the parser
eval('1' + '+1'.repeat(1e5)); eval('!'.repeat(1e5) + '1'); eval('1' + '?1:1'.repeat(1e4))
//= script_error|ran|limit_cpu|limit_memory: templates for the parser
eval('`${'.repeat(5e3) + '1' + '}`'.repeat(5e3))
//= script_error|ran|limit_cpu|limit_memory: patterns for the parser
eval('let ' + '['.repeat(2e4) + 'a' + ']'.repeat(2e4) + ' = 1')
//= script_error|limit_cpu|limit_memory: a regular expression of many groups
new RegExp('('.repeat(1e5) + ')'.repeat(1e5))
//= script_error|limit_cpu|limit_memory: a regular expression of nested counts
new RegExp('(?:'.repeat(20) + 'a' + '{1000}){1000}'.repeat(10) + ')'.repeat(10))
//= script_error|ran|limit_cpu|limit_memory: names for the parser
eval('var ' + Array.from({ length: 7e4 }, (x, i) => 'v' + i).join() + '; 1')
//= script_error|ran|limit_cpu|limit_memory: parameters for the parser
new Function(Array.from({ length: 7e4 }, (x, i) => 'v' + i).join(), '')(1)
