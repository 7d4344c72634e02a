//= ran stored=1: an address with all its parts changed
const page = new URL('https://ada:pw@shop.example:8443/a/../b%20c?x=1&x=2#top'); page.searchParams.append('y', 'é 漢'); page.host = 'other.example'; page.pathname = '/%2e%2e/z'; page.hash = ''; echo.schedule({ url: page.href, all: page.searchParams.getAll('x') }, { delay: 1000 })

//= ran: an address of a hundred thousand dots, slashes and signs
for (const part of ['.', '/', '../', '%2e', '@', ':', '[', 'xn--', '\u00ad', '?a=', '&', '漢.']) { try { console.log(new URL('http://h/' + part.repeat(1000)).href.length); new URL(part.repeat(500), 'http://h').host } catch (e) { console.log(e.message) } }

//= ran: parameters whose parts throw, lie and change while they are walked
const seen = new URLSearchParams({ get a () { return 1 }, b: { toString () { return 'two' } } }); for (const [name] of seen) { seen.delete(name); seen.append(name + name, '3') ; if (seen.toString().length > 99) break } try { new URLSearchParams([['a']]) } catch (e) { console.log(e.name) } try { new URLSearchParams({ a: Symbol.iterator }) } catch (e) { console.log(e.name) }

//= ran stored=1: an address on a poisoned prototype
Object.defineProperty(Object.prototype, 'href', { get () { return 'mine' }, configurable: true }); Array.prototype.push = () => { throw new Error('no') }; String.prototype.indexOf = () => 7; const page = new URL('/a?b=c#d', 'https://shop.example'); echo.schedule({ url: String(page) }, { delay: 1000 })

//= ran: zones near and far, right and wrong
for (const timeZone of ['Asia/Tokyo', 'America/New_York', 'Europe/Paris', 'asia/kolkata', 'Mars/Olympus', '', null, '__proto__/x', 'Etc/GMT+99', 'A/'.repeat(200)]) { for (const at of [0, 1e12, -1e15, 8.64e15, NaN]) { try { console.log(new Date(at).toLocaleString('de-DE', { timeZone, dateStyle: 'full', timeStyle: 'long' })) } catch (e) { console.log(e.name) } } }

//= ran: formats with every option at once
const fields = { weekday: 'long', era: 'short', year: '2-digit', month: 'narrow', day: 'numeric', hour: '2-digit', minute: 'numeric', second: '2-digit', fractionalSecondDigits: 3, hour12: true, dayPeriod: 'long' }; for (const locale of ['en-US', 'ar-EG', 'zh-CN', 'xx', ['fr-FR', 'de'], 'en-US-u-ca-buddhist']) { for (const name of Object.keys(fields)) { try { console.log(new Intl.DateTimeFormat(locale, { [name]: fields[name], timeZone: 'Asia/Tokyo' }).formatToParts(0).length) } catch (e) { console.log(e.name) } } }

//= ran: numbers that no format expects
const format = new Intl.NumberFormat('de-DE', { style: 'currency', currency: 'EUR', minimumFractionDigits: 20, maximumFractionDigits: 20 }); for (const number of [1e308, -0, NaN, Infinity, 5e-324, 9n ** 200n, '12', null, {}, [7]]) { try { console.log(format.format(number).length, (0.1).toLocaleString('fr-FR', { maximumFractionDigits: number })) } catch (e) { console.log(e.name) } }

//= ran: a function is returned
return function () { return echo.schedule({ a: 1 }, { delay: 1000 }) }

//= script_error: hooks that are returned, and throw when they are read
return { get remove () { throw new Error('mine') }, onActivation: 7, runAcrossViews: new Proxy({}, {}) }

//= script_error: what is returned throws when it is asked whether it can be waited for
return { get then () { throw new Error('mine') } }

//= script_error: a name that a module does not give
const missing = require('slapdash', ['find', 'nothing']); missing.nothing()

//= script_error|module_not_found: names that no module has
require('./' + 'utils'.repeat(100), { length: 9, 0: 'a' })

//= ran: names asked of modules by a list that lies
for (const names of [null, 7, 'ab', { length: 3 }, new Proxy([], { get (target, name) { return name === 'length' ? 3 : target[name] } }), [Symbol.iterator, {}, 1n]]) { try { require('slapdash', names) } catch (e) { console.log(e.message) } }

//= ran: promises, maps and sets in a payload, as deep and as many as there is room
let deep = new Map([[1, new Set([Promise.resolve(1)])]]); for (let n = 0; n < 150; n++) deep = { a: [deep], b: new Map(), c: new Set(), d: Promise.resolve(2) }; try { await echo.schedule(deep, { delay: 1000 }) } catch (e) { console.log(e.message) } await echo.cancel({ key: { a: 1 } })
