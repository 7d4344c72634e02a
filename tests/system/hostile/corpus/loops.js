// Loops: of statements, promises, microtasks, timers, patterns, and inside the engine's own functions.

//= limit_cpu: a loop
while (true) {}
//= limit_cpu: a loop that catches and continues
for (;;) { try { while (true) {} } catch (e) {} finally { continue } }
//= limit_cpu: a loop in finally
try { throw 1 } finally { for (;;) {} }
//= limit_cpu: nested finally blocks that loop
try { try { for (;;) {} } finally { for (;;) {} } } finally { for (;;) {} }
//= limit_cpu: a labelled block that continues for ever
outer: for (;;) { inner: for (;;) { continue outer } }
//= limit_cpu: a do-while in a switch
switch (1) { case 1: do { var x = 1 } while (x) }
//= limit_cpu: a generator without end, spread
const g = function* () { for (;;) yield 1 }; for (const x of g()) x
//= limit_cpu: a generator that refuses to return
const g = (function* () { try { yield 1 } finally { for (;;) yield 2 } })(); for (;;) g.return(1)
//= limit_cpu: yield* of itself in a chain
const g = function* () { for (;;) yield* [1] }; for (const x of g()) x
//= limit_cpu: a chain of promises
(function again () { Promise.resolve().then(again) })()
//= limit_cpu: a chain of rejected promises
(function again () { Promise.reject(1).catch(again) })()
//= limit_cpu: an await loop
for (;;) await null
//= limit_cpu: an await loop that catches
for (;;) try { await Promise.reject(1) } catch (e) {}
//= limit_cpu: an await loop in the background
(async () => { for (;;) await null })(); return 1
//= limit_cpu: an async generator without end
const g = async function* () { for (;;) yield 1 }; for await (const x of g()) x
//= limit_cpu: a chain of microtasks
(function again () { queueMicrotask(again) })()
//= limit_cpu: a thenable that resolves with itself anew
const t = () => ({ then (f) { f(t()) } }); await t()
//= limit_cpu|limit_memory: promises that double
(function again () { Promise.resolve().then(again); Promise.resolve().then(again) })()
//= limit_cpu|limit_memory: Promise.all of a list without end
await Promise.all({ [Symbol.iterator]: () => ({ next: () => ({ value: 1, done: false }) }) })
//= limit_wall|limit_cpu: an interval for ever
setInterval(() => {}, 1e6)
//= limit_wall|limit_cpu: a timer that sets itself again
(function again () { setTimeout(again, 1) })()
//= limit_cpu: a timer that loops
setTimeout(() => { for (;;) {} }, 5)
//= limit_wall|limit_cpu: intervals that use the run's CPU little by little
setInterval(() => { let n = 0; while (n < 2e6) n++ }, 10)
//= limit_cpu: a catastrophic regular expression
/^(a+)+$/.test('a'.repeat(40) + 'b')
//= limit_cpu: a catastrophic alternation
/^(a|a|aa)+$/.test('a'.repeat(60) + 'b')
//= limit_cpu: a catastrophic look-ahead
/(?=(a+))*b?\1*c$|(x+x+)+y/.test('x'.repeat(60))
//= limit_cpu: a catastrophic back reference
/(a*)*\1b/.test('a'.repeat(60))
//= limit_cpu: a catastrophic pattern in replace
'a'.repeat(50).replace(/(a+)+b/g, '')
//= limit_cpu|script_error: a catastrophic pattern in split
('a'.repeat(50) + '!').split(/(.*a){20}$/)
//= limit_cpu: a sticky pattern whose lastIndex goes back
const r = /a/y; for (;;) { r.lastIndex = 0; r.exec('a') }
//= limit_cpu: matchAll of a pattern that matches nothing for ever
const r = /(?:)/g; r.exec = () => [''] ; for (const m of 'a'.matchAll(r)) m; for (;;) r.exec()
//= limit_cpu: a getter
JSON.stringify({ get a () { for (;;) {} } })
//= limit_cpu: a setter
({ set a (v) { for (;;) {} } }).a = 1
//= limit_cpu: a string that grows by little
let s = ''; for (;;) s += 'abcdefgh'
//= limit_cpu: concat of a huge spreadable
[].concat({ length: 2 ** 53 - 1, [Symbol.isConcatSpreadable]: true })
//= limit_cpu: concat of many huge spreadables
const h = { length: 2 ** 52, [Symbol.isConcatSpreadable]: true }; [].concat(h, h)
//= limit_cpu: sort of a sparse array
const a = []; a.length = 1e9; a[1e9 - 1] = 0; a.sort()
//= limit_cpu: reverse of a sparse array
const a = []; a.length = 4294967295; a[0] = 1; a.reverse()
//= limit_cpu: copyWithin of a huge list
Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 1, 0)
//= limit_cpu: splice in a loop
const a = []; a.length = 4294967295; for (;;) a.splice(0, 1)
//= limit_cpu: shift of a huge list
Array.prototype.shift.call({ length: 2 ** 53 - 1 })
//= limit_cpu: unshift of a huge list
Array.prototype.unshift.call({ length: 2 ** 53 - 3 }, 1)
//= limit_cpu: indexOf in a huge list
Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)
//= limit_cpu: lastIndexOf in a huge list
Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)
//= limit_cpu: includes in a huge list
Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)
//= limit_cpu|limit_memory: join of a huge list
Array.prototype.join.call({ length: 2 ** 32 - 2 }, '')
//= limit_cpu: forEach of a huge list
Array.prototype.forEach.call({ length: 2 ** 53 - 1 }, () => 1)
//= limit_cpu: every of a huge list
Array.prototype.every.call({ length: 2 ** 53 - 1 }, () => true)
//= limit_cpu: reduce of a huge list
Array.prototype.reduce.call({ length: 2 ** 53 - 1 }, () => true, 0)
//= limit_cpu|limit_memory: fill of a huge list
Array.prototype.fill.call({ length: 2 ** 53 - 1, set 0 (v) {} }, 1)
//= limit_cpu|limit_memory: findLast in a huge list
Array.prototype.findLast.call({ length: 2 ** 53 - 1 }, () => false)
//= script_error|limit_cpu|limit_memory: flat of a list in itself
const a = []; a.push(a, a); a.flat(Infinity)
//= script_error|limit_cpu|limit_memory: toSorted of a huge length
Array.prototype.toSorted.call({ length: 2 ** 32 - 1 })
//= script_error|limit_cpu|limit_memory: with of a huge length
Array.prototype.with.call({ length: 2 ** 32 - 1 }, 0, 1)
//= limit_cpu: a comparison function that grows the list
const a = [3, 2, 1]; for (;;) a.sort(() => { a.push(1); a.length = 3; return -1 })
//= limit_cpu|limit_memory: Array.from of a huge length
Array.from({ length: 2 ** 32 - 1 })
//= limit_cpu|limit_memory: Array.from of an iterator without end
Array.from({ [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) })
//= limit_cpu|limit_memory: Object.fromEntries without end
let n = 0; Object.fromEntries({ [Symbol.iterator]: () => ({ next: () => ({ value: ['k' + n++, 1], done: false }) }) })
//= limit_cpu|limit_memory: Array.fromAsync without end
await Array.fromAsync({ length: 2 ** 32 - 1 })
//= limit_cpu: sort of a typed array with a comparison that loops
new Uint8Array(9).sort(() => { for (;;) {} })
//= ran|limit_cpu: fill and sort of the largest typed array there is room for
new Float64Array(3e6).fill(1).sort()
//= limit_cpu|limit_memory: a typed array of an array-like without end
new Uint8Array({ length: 2 ** 24, get 0 () { for (;;) {} } })
//= limit_cpu: JSON.parse with a reviver that loops
JSON.parse('[1]', () => { for (;;) {} })
//= limit_cpu|limit_memory: JSON.parse with a reviver that grows what it walks
JSON.parse('[1]', function (k, v) { if (Array.isArray(v)) for (let i = 0; i < 9; i++) v.push([1]); this.x = [1, 2]; for (;;) v })
//= limit_cpu|script_error: JSON.stringify with a replacer that never ends
JSON.stringify({}, () => ({ a: 1, get b () { for (;;) {} } }))
//= limit_cpu: Date with a valueOf that loops
new Date({ valueOf () { for (;;) {} } })
//= limit_cpu: Intl formats for ever
for (;;) new Intl.DateTimeFormat().format(Date.now())
//= limit_cpu: Date.parse for ever
for (;;) Date.parse('Fri Mar 06 2026 ' + '0'.repeat(100))
//= ran|limit_cpu: Date with huge numbers
for (const n of [8.64e15, -8.64e15, 1e300, NaN, -0, 2 ** 53]) { const d = new Date(n); d.setHours(1e9); d.setYear(-1e9); d.getTimezoneOffset(); String(d) }
//= limit_cpu: Math.random for ever
for (;;) Math.random()
//= limit_cpu: waiting for the clock to move
const t = Date.now(); while (Date.now() === t) {}
//= limit_cpu: waiting for performance.now
const t = performance.now(); while (performance.now() === t) {}
//= limit_cpu: eval that loops
eval('for (;;) {}')
//= limit_cpu: an AsyncFunction that loops
await new (async () => {}).constructor('for (;;) {}')()
//= limit_cpu: a GeneratorFunction that loops
new (function* () {}).constructor('for (;;) {}')().next()
//= limit_cpu: a with block whose scope loops
new Function('p', 'with (p) { x }')(new Proxy({}, { has () { for (;;) {} } }))
//= limit_cpu: a default parameter that loops
((a = (() => { for (;;) {} })()) => a)()
//= limit_cpu: a computed name that loops
({ [{ toString () { for (;;) {} } }]: 1 })
//= limit_cpu: a tagged template that loops
(() => { for (;;) {} })`x`
//= limit_cpu: a static block that loops
class A { static { for (;;) {} } }
//= limit_cpu: instanceof that loops
1 instanceof { [Symbol.hasInstance] () { for (;;) {} } }
//= limit_cpu: a finalizer that loops
kept = new FinalizationRegistry(() => { for (;;) {} }); kept.register({}, 1)
//= limit_cpu: WeakRefs to one object, each looked up
const k = {}; for (;;) new WeakRef(k).deref()
